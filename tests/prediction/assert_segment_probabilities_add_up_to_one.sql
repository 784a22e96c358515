with

customer_segment_probabilities as (

    select * from {{ ref('customer_segment_probabilities') }}

),

summed as (

    select
        customer_key,
        segmentation,
        sum(probability) as probability,
        min(segment_rank) as first_rank,
        max(segment_rank) as last_rank,
        count(*) as segments

    from customer_segment_probabilities
    group by customer_key, segmentation

)

select
    *,
    customer_key || ' in ' || segmentation || ': probabilities add up to '
    || cast(probability as string) as message

from summed
where
    abs(probability - 1) > 0.000001 or first_rank <> 1 or last_rank <> segments
