with

segments as (

    select * from {{ ref('int_rfm__segments') }}

),

customer_rfm as (

    select
        customer_key,
        source_system,
        as_of_date,
        recency_days,
        frequency,
        monetary,
        recency_score,
        frequency_score,
        monetary_score,
        rfm_segment

    from segments
    where is_today

)

select * from customer_rfm
