-- customers, shares and money of the segments are those of all who are in one
with

segments as (

    select * from {{ ref('segments') }}

),

customer_segments as (

    select * from {{ ref('customer_segments') }}

),

customer_features as (

    select * from {{ ref('customer_features') }}

),

segments_summed as (

    select
        segmentation,
        sum(customers) as customers,
        sum(share) as total_share,
        sum(revenue) as revenue,
        sum(revenue_share) as revenue_share

    from segments
    group by segmentation

),

customers_summed as (

    select
        customer_segments.segmentation,
        count(customer_segments.segment_id) as customers,
        sum(
            case
                when customer_segments.segment_id is not null
                    then customer_features.monetary
            end
        ) as revenue

    from customer_segments
    inner join customer_features
        on customer_segments.customer_key = customer_features.customer_key
    group by customer_segments.segmentation

)

select
    segments_summed.segmentation,
    customers_summed.segmentation as other_segmentation,
    segments_summed.customers,
    segments_summed.total_share,
    segments_summed.revenue,
    segments_summed.revenue_share,
    customers_summed.customers as other_customers,
    customers_summed.revenue as other_revenue

from segments_summed
full join customers_summed
    on segments_summed.segmentation = customers_summed.segmentation
where
    coalesce(segments_summed.customers, 0) <> coalesce(customers_summed.customers, 0)
    or segments_summed.revenue is distinct from customers_summed.revenue
    or abs(segments_summed.total_share - 1) > 0.000001
    or abs(segments_summed.revenue_share - 1) > 0.000001
