{{ config(materialized='table') }}

with

transactions as (

    select * from {{ ref('transactions') }}

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}
    where is_product

),

customers as (

    select * from {{ ref('customers') }}

),

products as (

    select * from {{ ref('products') }}

),

lines_summed_to_purchases as (

    select
        product_key,
        transaction_key,
        sum(amount) as amount,
        sum(case when quantity > 0 then amount end) as amount_sold,
        max(quantity) > 0 as has_units

    from transaction_lines
    group by product_key, transaction_key

),

united as (

    select
        transactions.source_system,
        'product' as entity,
        product_lines.product_key as entity_key,
        products.product_name as entity_name,
        transactions.customer_key,
        transactions.is_completed and product_lines.has_units as is_purchase,
        product_lines.amount,
        product_lines.amount_sold

    from lines_summed_to_purchases as product_lines
    inner join transactions
        on product_lines.transaction_key = transactions.transaction_key
    inner join products on product_lines.product_key = products.product_key

    union all

    select
        source_system,
        'merchant' as entity,
        merchant_key as entity_key,
        merchant_name as entity_name,
        customer_key,
        is_completed as is_purchase,
        amount,
        amount as amount_sold

    from transactions
    where merchant_key is not null

    union all

    select
        source_system,
        'customer' as entity,
        customer_key as entity_key,
        customer_key as entity_name,
        customer_key,
        is_completed as is_purchase,
        amount,
        amount as amount_sold

    from transactions
    where customer_key is not null

    {% for place in ('city', 'country') -%}
    union all

    -- guests live nowhere
    select
        transactions.source_system,
        '{{ place }}' as entity,
        customers.{{ place }} as entity_key,
        customers.{{ place }} as entity_name,
        transactions.customer_key,
        transactions.is_completed as is_purchase,
        transactions.amount,
        transactions.amount as amount_sold

    from transactions
    inner join customers on transactions.customer_key = customers.customer_key
    where customers.{{ place }} is not null

    {% endfor %}
),

summed as (

    select
        source_system,
        entity,
        entity_key,
        entity_name,
        cast(sum(amount) as decimal(18, 2)) as net_revenue,
        cast(sum(case when is_purchase then amount_sold end) as decimal(18, 2))
            as gross_revenue,
        count(*) filter (where is_purchase) as purchases,
        count(distinct case when is_purchase then customer_key end) as customers

    from united
    group by source_system, entity, entity_key, entity_name

)

select * from summed
