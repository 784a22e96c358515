{{ config(materialized='table') }}

with

transactions as (

    select * from {{ ref('transactions') }}

),

transaction_entities as (

    select * from {{ ref('int_exploration__transaction_entities') }}

),

customers as (

    select * from {{ ref('customers') }}

),

united as (

    select
        transactions.source_system,
        transaction_entities.entity,
        transaction_entities.entity_key,
        transaction_entities.entity_name,
        transactions.customer_key,
        transactions.is_completed and transaction_entities.has_pieces as is_purchase,
        transaction_entities.amount,
        transaction_entities.amount_sold

    from transaction_entities
    inner join transactions
        on transaction_entities.transaction_key = transactions.transaction_key

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
