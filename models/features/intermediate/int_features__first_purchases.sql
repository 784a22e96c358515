with

first_purchases as (

    select * from {{ ref('int_observations__first_purchases') }}

),

customers as (

    select * from {{ ref('customers') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

source_systems as (

    select * from {{ ref('int_features__source_systems') }}

),

dates as (

    select * from {{ ref('int_features__first_dates') }}

),

first_baskets as (

    select * from {{ ref('int_features__first_baskets') }}

),

first_purchase_features as (

    select
        first_purchases.customer_key,
        first_purchases.source_system,
        first_purchases.transaction_key,
        first_purchases.first_purchase_date,
        customers.last_completed_at < first_purchases.day_after_date
        and {{ dbt.datediff(
            'first_purchases.first_purchase_date', 'source_systems.as_of_date', 'day'
        ) }} <= {{ var('prediction')['new_within_days'] }} as is_new,
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
        first_baskets.least_unit_price,
        first_baskets.greatest_unit_price,
        first_baskets.largest_line_value,
        first_baskets.largest_line_share,
        first_baskets.spend_concentration,
        first_baskets.single_share,
        first_baskets.dozen_share,
        first_baskets.bulk_share,
        first_baskets.spend_share_under_1,
        first_baskets.spend_share_1_to_2,
        first_baskets.spend_share_2_to_3,
        first_baskets.spend_share_3_to_5,
        first_baskets.spend_share_from_5,
        first_baskets.has_fees

    from first_purchases
    inner join customers on first_purchases.customer_key = customers.customer_key
    inner join transactions
        on first_purchases.transaction_key = transactions.transaction_key
    inner join dates on first_purchases.customer_key = dates.customer_key
    inner join source_systems
        on first_purchases.source_system = source_systems.source_system
    left join first_baskets
        on first_purchases.customer_key = first_baskets.customer_key

)

select * from first_purchase_features
