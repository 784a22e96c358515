{{ config(materialized='table') }}

with

transactions as (

    select * from {{ ref('transactions') }}
    where is_completed

),

transaction_entities as (

    select * from {{ ref('int_exploration__transaction_entities') }}
    where has_pieces

),

-- a basket of one product has no pair; one of very many says little about any pair, and
-- the number of pairs grows with the square
sizes as (

    select
        transaction_key,
        entity,
        count(*) as entities

    from transaction_entities
    group by transaction_key, entity
    having count(*) between 2 and {{ threshold('affinity_max_basket_products') }}

),

-- each basket of a guest is a buyer of its own
numbered as (

    select
        transactions.source_system,
        sizes.entity,
        sizes.entities,
        sizes.transaction_key,
        transactions.customer_key,
        cast(date_trunc('month', transactions.completed_at) as date) as month_date,
        coalesce(transactions.customer_key, transactions.transaction_key) as buyer_key,
        row_number() over (
            order by sizes.entity desc, sizes.transaction_key asc
        ) as basket_number,
        row_number() over (
            partition by
                sizes.entity,
                coalesce(transactions.customer_key, transactions.transaction_key)
            order by md5(sizes.transaction_key) asc, sizes.transaction_key asc
        ) as basket_of_buyer

    from sizes
    inner join transactions on sizes.transaction_key = transactions.transaction_key

),

-- two categories are together in some basket of most buyers: one basket of a buyer says
-- whether they go together
baskets as (

    select * from numbered
    where entity = 'product' or basket_of_buyer = 1

)

select * from baskets
