-- Which segments bring the revenue? One list per segmentation, the RFM segments among
-- them. Each customer is in one segment of each, so sum within one segmentation only.
with

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

),

customer_segments as (

    select * from {{ ref('customer_segments') }}

),

customers as (

    select * from {{ ref('customers') }}

),

members as (

    select
        customer_key,
        source_system,
        'rfm' as segmentation,
        rfm_segment as segment

    from customer_rfm

    union all

    select
        customer_key,
        source_system,
        segmentation,
        segment_name as segment

    from customer_segments

),

summed_to_segments as (

    select
        members.source_system,
        members.segmentation,
        members.segment,
        count(*) as customers,
        sum(customers.lifetime_spent) as revenue

    from members
    inner join customers on members.customer_key = customers.customer_key
    group by members.source_system, members.segmentation, members.segment

)

select
    source_system,
    segmentation,
    segment,
    customers,
    {{ ratio('customers', 'sum(customers) over segments_of_one') }} as customer_share,
    revenue,
    {{ ratio('revenue', 'sum(revenue) over segments_of_one') }} as revenue_share,
    {{ ratio('revenue', 'customers') }} as revenue_per_customer

from summed_to_segments
window segments_of_one as (partition by source_system, segmentation)
order by
    source_system asc,
    segmentation asc,
    revenue desc nulls last,
    customers desc,
    segment asc
