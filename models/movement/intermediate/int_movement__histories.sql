{{ config(materialized='table', schema='training') }}

with

customer_days as (

    select * from {{ ref('int_features__customer_days') }}
    where purchase_days > 0 and (is_today or is_training_date)

),

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

-- today's customers have no later purchase
next_purchases as (

    select
        customer_days.customer_key,
        customer_days.as_of_date,
        min(transactions.completed_at) as completed_at

    from customer_days
    inner join transactions
        on
            customer_days.customer_key = transactions.customer_key
            and customer_days.as_of_date <= transactions.completed_at
    where customer_days.is_training_date
    group by customer_days.customer_key, customer_days.as_of_date

),

-- all purchases of a day count as one
histories as (

    select
        customer_days.customer_key,
        customer_days.source_system,
        customer_days.as_of_date,
        customer_days.is_today,
        customer_days.is_training_date,
        as_of_dates.is_training_customer,
        cast(customer_days.purchase_days as int) as purchase_days,
        customer_days.recency_days,
        cast(customer_days.purchase_days - 1 as int) as repeat_purchases,
        customer_days.purchase_age_days - customer_days.recency_days
            as buying_span_days,
        customer_days.purchase_age_days,
        cast(customer_days.last_interval_days as int) as last_interval_days,
        cast({{ dbt.datediff(
            'customer_days.as_of_date', 'next_purchases.completed_at', 'day'
        ) }} as int) as days_to_return,
        cast({{ dbt.datediff(
            'customer_days.as_of_date', 'source_systems.as_of_date', 'day'
        ) }} as int) as observed_days

    from customer_days
    inner join as_of_dates
        on
            customer_days.customer_key = as_of_dates.customer_key
            and customer_days.as_of_date = as_of_dates.as_of_date
    inner join source_systems
        on customer_days.source_system = source_systems.source_system
    left join next_purchases
        on
            customer_days.customer_key = next_purchases.customer_key
            and customer_days.as_of_date = next_purchases.as_of_date

)

select * from histories
