{{ config(materialized='table') }}

with

origins as (

    select * from {{ ref('int_prediction__origins') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

-- a return counts on its own day, as money and not as a purchase
happened as (

    select
        customer_key,
        amount,
        completed_at is not null as is_purchase,
        coalesce(completed_at, transacted_at) as happened_at

    from transactions
    where customer_key is not null

),

outcomes as (

    select
        origins.customer_key,
        origins.source_system,
        origins.population,
        origins.origin_date,
        origins.horizon_days,
        coalesce(bool_or(happened.is_purchase), false) as has_returned,
        count(*) filter (where happened.is_purchase) as purchases,
        case
            when origins.has_amounts
                then greatest(coalesce(sum(happened.amount), 0), 0)
        end as spend

    from origins
    left join happened
        on
            origins.customer_key = happened.customer_key
            and origins.origin_date <= happened.happened_at
            and origins.end_date > happened.happened_at
    group by
        origins.customer_key,
        origins.source_system,
        origins.population,
        origins.origin_date,
        origins.horizon_days,
        origins.has_amounts

)

select * from outcomes
