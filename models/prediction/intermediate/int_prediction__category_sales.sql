{{ config(materialized='table') }}

with

transactions as (

    select * from {{ ref('transactions') }}

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}

),

product_categories as (

    select * from {{ ref('product_categories') }}

),

summed_to_purchases as (

    select
        transactions.transaction_key,
        transactions.customer_key,
        transactions.source_system,
        transactions.completed_at,
        product_categories.category_id,
        cast(sum(transaction_lines.amount) as decimal(18, 2)) as spend

    from transactions
    inner join transaction_lines
        on transactions.transaction_key = transaction_lines.transaction_key
    inner join product_categories
        on transaction_lines.product_key = product_categories.product_key
    where
        transactions.is_completed
        and {{ is_bought('transaction_lines.quantity') }}
    group by
        transactions.transaction_key,
        transactions.customer_key,
        transactions.source_system,
        transactions.completed_at,
        product_categories.category_id

)

select * from summed_to_purchases
