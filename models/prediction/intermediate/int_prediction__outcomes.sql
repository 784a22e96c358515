{{ config(materialized='table') }}

with

cohorts as (

    select * from {{ ref('int_prediction__cohorts') }}
    where task = 'next_purchases'

),

transactions as (

    select * from {{ ref('transactions') }}

),

-- a return counts on the day of the return, as an amount but not as a purchase
happened as (

    select
        customer_key,
        amount,
        completed_at is not null as is_purchase,
        {{ happened_at() }} as happened_at

    from transactions
    where customer_key is not null

),

outcomes as (

    select
        cohorts.customer_key,
        cohorts.source_system,
        cohorts.population,
        cohorts.as_of_date,
        cohorts.horizon_days,
        cohorts.backtest_split,
        coalesce(bool_or(happened.is_purchase), false) as has_returned,
        count(*) filter (where happened.is_purchase) as purchases,
        case
            when cohorts.has_amounts
                then greatest(coalesce(sum(happened.amount), 0), 0)
        end as spend

    from cohorts
    left join happened
        on
            cohorts.customer_key = happened.customer_key
            and cohorts.as_of_date <= happened.happened_at
            and cohorts.end_date > happened.happened_at
    group by
        cohorts.customer_key,
        cohorts.source_system,
        cohorts.population,
        cohorts.as_of_date,
        cohorts.horizon_days,
        cohorts.backtest_split,
        cohorts.has_amounts

)

select * from outcomes
