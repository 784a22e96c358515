{{ config(materialized='table') }}

with

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}

),

source_systems as (

    select * from {{ ref('int_features__source_systems') }}

),

transactions as (

    select * from {{ ref('int_features__transactions') }}
    where is_completed

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}
    where is_product and quantity > 0

),

purchases_counted as (

    select
        customer_key,
        as_of_date,
        count(*) as purchases

    from transactions
    group by customer_key, as_of_date

),

-- two lines of one product on one invoice are one choice of it
products_of_purchases as (

    select
        transactions.customer_key,
        transactions.as_of_date,
        transaction_lines.transaction_key,
        transaction_lines.product_key,
        sum(transaction_lines.quantity) as items

    from transaction_lines
    inner join transactions
        on transaction_lines.transaction_key = transactions.transaction_key
    group by
        transactions.customer_key,
        transactions.as_of_date,
        transaction_lines.transaction_key,
        transaction_lines.product_key

),

summed_to_products as (

    select
        customer_key,
        as_of_date,
        product_key,
        count(*) as purchases,
        sum(items) as items

    from products_of_purchases
    group by customer_key, as_of_date, product_key

),

summed_to_customers as (

    select
        customer_key,
        as_of_date,
        count(*) as distinct_products,
        sum(purchases) as chosen_products,
        sum(purchases) - count(*) as repeated_products,
        sum(items) as items

    from summed_to_products
    group by customer_key, as_of_date

),

measured as (

    select
        as_of_dates.customer_key,
        as_of_dates.as_of_date,
        coalesce(summed.distinct_products, 0) as distinct_products,
        {{ ratio('coalesce(summed.items, 0)', 'purchases_counted.purchases') }}
            as mean_basket_items,
        {{ ratio(
            'coalesce(summed.chosen_products, 0)', 'purchases_counted.purchases'
        ) }} as mean_basket_products,
        {{ ratio('summed.repeated_products', 'summed.chosen_products') }}
            as repeat_product_share

    from as_of_dates
    inner join source_systems
        on as_of_dates.source_system = source_systems.source_system
    left join purchases_counted
        on
            as_of_dates.customer_key = purchases_counted.customer_key
            and as_of_dates.as_of_date = purchases_counted.as_of_date
    left join summed_to_customers as summed
        on
            as_of_dates.customer_key = summed.customer_key
            and as_of_dates.as_of_date = summed.as_of_date
    where source_systems.has_products

)

select * from measured
