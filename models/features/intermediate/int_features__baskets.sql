{{ config(materialized='table') }}

with

customers as (

    select * from {{ ref('int_observations__customers') }}

),

source_systems as (

    select * from {{ ref('int_features__source_systems') }}

),

transactions as (

    select * from {{ ref('int_observations__transactions') }}

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}

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
    where
        transactions.is_completed
        and (transactions.is_present or transactions.is_later)
        and transaction_lines.is_product
        and transaction_lines.quantity > 0
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
        customers.customer_key,
        customers.as_of_date,
        coalesce(summed.distinct_products, 0) as distinct_products,
        {{ ratio('coalesce(summed.items, 0)', 'customers.lifetime_purchases') }}
            as basket_items,
        {{ ratio(
            'coalesce(summed.chosen_products, 0)', 'customers.lifetime_purchases'
        ) }} as basket_products,
        {{ ratio('summed.repeated_products', 'summed.chosen_products') }}
            as repeat_product_share

    from customers
    inner join source_systems
        on customers.source_system = source_systems.source_system
    left join summed_to_customers as summed
        on
            customers.customer_key = summed.customer_key
            and customers.as_of_date = summed.as_of_date
    where
        source_systems.has_products and (customers.is_present or customers.is_later)

)

select * from measured
