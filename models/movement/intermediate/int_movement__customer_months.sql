{{ config(materialized='table') }}

with

transactions as (

    select * from {{ ref('transactions') }}

),

happened as (

    select
        customer_key,
        source_system,
        is_completed,
        amount,
        completed_at,
        cast({{ dbt.date_trunc('month', happened_at()) }} as date)
            as month_date

    from transactions
    where customer_key is not null and (is_completed or amount is not null)

),

summed as (

    select
        customer_key,
        source_system,
        month_date,
        cast(sum(amount) as decimal(18, 2)) as spent,
        cast(max(completed_at) as date) as last_purchase_date,
        count(*) filter (where is_completed) as purchases

    from happened
    group by customer_key, source_system, month_date

)

select * from summed
