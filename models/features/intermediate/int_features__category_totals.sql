{{ config(materialized='table') }}

with

transactions as (

    select * from {{ ref('int_features__transactions') }}

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}

),

categories as (

    select * from {{ ref('int_products__assignments') }}

),

-- one line a transaction and category, for two products of a category are one purchase;
-- returns take their money back
summed_to_transactions as (

    select
        transactions.customer_key,
        transactions.source_system,
        transactions.as_of_date,
        transactions.transaction_key,
        transactions.completed_at,
        categories.category_id,
        sum(transaction_lines.amount) as amount,
        bool_or({{ is_bought('transaction_lines.quantity') }}) as has_pieces

    from transaction_lines
    inner join categories
        on transaction_lines.product_key = categories.product_key
    inner join transactions
        on transaction_lines.transaction_key = transactions.transaction_key
    group by
        transactions.customer_key,
        transactions.source_system,
        transactions.as_of_date,
        transactions.transaction_key,
        transactions.completed_at,
        categories.category_id

),

summed_to_categories as (

    select
        customer_key,
        source_system,
        as_of_date,
        category_id,
        cast(sum(amount) as decimal(18, 2)) as spend,
        cast(
            max(case when has_pieces then completed_at end) as date
        ) as last_purchase_date,
        count(*) filter (where completed_at is not null and has_pieces) as purchases

    from summed_to_transactions
    group by customer_key, source_system, as_of_date, category_id

),

-- a return of goods that were bought before the record begins is no taste
category_totals as (

    select * from summed_to_categories
    where purchases > 0

)

select * from category_totals
