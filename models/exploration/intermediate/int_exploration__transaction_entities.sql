{{ config(materialized='table') }}

with

transaction_lines as (

    select * from {{ ref('transaction_lines') }}
    where is_product

),

products as (

    select * from {{ ref('products') }}

),

product_categories as (

    select * from {{ ref('product_categories') }}

),

summed_to_products as (

    select
        transaction_key,
        product_key,
        sum(amount) as amount,
        sum(case when quantity > 0 then amount end) as amount_sold,
        max(quantity) > 0 as has_pieces

    from transaction_lines
    group by transaction_key, product_key

),

summed_to_categories as (

    select
        summed_to_products.transaction_key,
        product_categories.category_name,
        product_categories.source_system
        || ':'
        || cast(product_categories.category_id as string) as category_key,
        sum(summed_to_products.amount) as amount,
        sum(summed_to_products.amount_sold) as amount_sold,
        bool_or(summed_to_products.has_pieces) as has_pieces

    from summed_to_products
    inner join product_categories
        on summed_to_products.product_key = product_categories.product_key
    group by
        summed_to_products.transaction_key,
        product_categories.source_system,
        product_categories.category_id,
        product_categories.category_name

),

transaction_entities as (

    select
        summed_to_products.transaction_key,
        'product' as entity,
        summed_to_products.product_key as entity_key,
        products.product_name as entity_name,
        summed_to_products.amount,
        summed_to_products.amount_sold,
        summed_to_products.has_pieces

    from summed_to_products
    inner join products on summed_to_products.product_key = products.product_key

    union all

    select
        transaction_key,
        'category' as entity,
        category_key as entity_key,
        category_name as entity_name,
        amount,
        amount_sold,
        has_pieces

    from summed_to_categories

)

select * from transaction_entities
