{{ config(materialized='table') }}

with

first_transactions as (

    select * from {{ ref('int_features__first_transactions') }}

),

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}
    where is_today

),

customers as (

    select * from {{ ref('customers') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

dates as (

    select * from {{ ref('int_features__first_dates') }}

),

first_baskets as (

    select * from {{ ref('int_features__first_baskets') }}

),

-- new: the first purchase is the only day with purchases, and not long ago
joined as (

    select
        first_transactions.customer_key,
        first_transactions.source_system,
        first_transactions.transaction_key,
        first_transactions.first_purchase_date,
        first_transactions.as_of_date,
        as_of_dates.is_training_customer,
        customers.last_completed_at < first_transactions.as_of_date
        and {{ dbt.datediff(
            'first_transactions.first_purchase_date', 'as_of_dates.as_of_date', 'day'
        ) }} <= {{ var('prediction_new_customer_days') }} as is_new,
        customers.gender,
        customers.city,
        customers.country,
        customers.age,
        transactions.merchant_name,
        dates.month_of_year,
        dates.day_of_year,
        dates.day_of_week,
        dates.hour_of_day,
        dates.days_to_christmas,
        transactions.amount as basket_value,
        first_baskets.basket_lines,
        first_baskets.basket_products,
        first_baskets.basket_items,
        first_baskets.product_value,
        first_baskets.items_per_line,
        first_baskets.mean_unit_price,
        first_baskets.min_unit_price,
        first_baskets.max_unit_price,
        first_baskets.largest_line_value,
        first_baskets.largest_line_share,
        first_baskets.spend_concentration,
        first_baskets.single_share,
        first_baskets.dozen_share,
        first_baskets.bulk_24_share,
        first_baskets.spend_share_under_1,
        first_baskets.spend_share_1_to_2,
        first_baskets.spend_share_2_to_3,
        first_baskets.spend_share_3_to_5,
        first_baskets.spend_share_from_5,
        first_baskets.has_fees

    from first_transactions
    inner join as_of_dates
        on first_transactions.customer_key = as_of_dates.customer_key
    inner join customers on first_transactions.customer_key = customers.customer_key
    inner join transactions
        on first_transactions.transaction_key = transactions.transaction_key
    inner join dates on first_transactions.customer_key = dates.customer_key
    left join first_baskets
        on first_transactions.customer_key = first_baskets.customer_key

),

first_purchases as (

    select * from joined
    where is_training_customer or is_new

)

select * from first_purchases
