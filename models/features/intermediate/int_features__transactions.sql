{{ config(materialized='table') }}

with

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

known_on_each_date as (

    select
        as_of_dates.customer_key,
        as_of_dates.source_system,
        as_of_dates.as_of_date,
        as_of_dates.is_today,
        transactions.transaction_key,
        transactions.merchant_key,
        transactions.merchant_name,
        transactions.transacted_at,
        transactions.is_return,
        {{ as_known_on('transactions', 'as_of_dates.as_of_date') }}

    from as_of_dates
    inner join transactions
        on
            as_of_dates.customer_key = transactions.customer_key
            and as_of_dates.as_of_date > transactions.transacted_at

),

flagged as (

    select
        *,
        completed_at is not null as is_completed

    from known_on_each_date

)

select * from flagged
