-- summed by any of its columns, customer_360 has the revenue of the customers once
with

customer_360 as (

    select * from {{ ref('customer_360') }}

),

segments as (

    select * from {{ ref('segments') }}

),

customers as (

    select * from {{ ref('customers') }}

),

by_segment as (

    {% for segmentation in shipped_segmentations() %}
    select
        '{{ segmentation }}' as segmentation,
        {{ segmentation }}_segment_id as segment_id,
        sum(monetary) as revenue,
        count(*) as customers

    from customer_360
    where {{ segmentation }}_segment_id is not null
    group by {{ segmentation }}_segment_id
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

by_rfm_segment as (

    select
        source_system,
        rfm_segment,
        sum(monetary) as revenue,
        sum(revenue_share) as revenue_share

    from customer_360
    group by source_system, rfm_segment

),

summed_to_source_systems as (

    select
        source_system,
        sum(revenue) as revenue,
        sum(revenue_share) as revenue_share

    from by_rfm_segment
    group by source_system

),

totals as (

    select
        source_system,
        sum(lifetime_spent) as revenue

    from customers
    group by source_system

)

select
    by_segment.segmentation as what,
    by_segment.revenue,
    segments.revenue as expected_revenue

from by_segment
left join segments
    on
        by_segment.segmentation = segments.segmentation
        and by_segment.segment_id = segments.segment_id
where
    by_segment.revenue is distinct from segments.revenue
    or by_segment.customers is distinct from segments.customers

union all

select
    totals.source_system as what,
    summed_to_source_systems.revenue,
    totals.revenue as expected_revenue

from totals
left join summed_to_source_systems
    on totals.source_system = summed_to_source_systems.source_system
where
    summed_to_source_systems.revenue is distinct from totals.revenue
    or abs(summed_to_source_systems.revenue_share - 1) > 1e-6
