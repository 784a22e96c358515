{{ config(materialized='table') }}

with

transactions as (

    select * from {{ ref('transactions') }}
    where is_completed

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}
    where is_product and quantity > 0

),

-- two lines of one product in one basket are one choice of it; each basket of a guest
-- is a buyer of its own
chosen as (

    select
        transactions.source_system,
        transactions.transaction_key,
        transaction_lines.product_key,
        transactions.customer_key,
        transactions.completed_at,
        coalesce(transactions.customer_key, transactions.transaction_key) as buyer_key

    from transaction_lines
    inner join transactions
        on transaction_lines.transaction_key = transactions.transaction_key
    group by
        transactions.source_system,
        transactions.transaction_key,
        transaction_lines.product_key,
        transactions.customer_key,
        transactions.completed_at

),

-- a basket of one product has no pair; one of very many says little about any pair, and
-- the number of pairs grows with the square
baskets as (

    select
        source_system,
        transaction_key,
        buyer_key,
        customer_key,
        cast(date_trunc('month', completed_at) as date) as month_date,
        count(*) as products,
        row_number() over (order by transaction_key) as basket_number

    from chosen
    group by source_system, transaction_key, buyer_key, customer_key, completed_at
    having count(*) between 2 and {{ threshold('affinity_max_basket_products') }}

),

buyers as (

    select
        source_system,
        buyer_key,
        sum(products) as products,
        row_number() over (order by buyer_key) as buyer_number

    from baskets
    group by source_system, buyer_key

),

-- of very many baskets, those of the buyers with the lowest hash are enough
sampled as (

    select
        *,
        sum(products) over (
            partition by source_system
            order by md5(buyer_key) asc, buyer_key asc
            rows between unbounded preceding and current row
        ) as cumulated_products

    from buyers

),

lines_of_sample as (

    select
        baskets.source_system,
        baskets.basket_number,
        baskets.customer_key,
        baskets.month_date,
        sampled.buyer_number,
        chosen.product_key

    from chosen
    inner join baskets on chosen.transaction_key = baskets.transaction_key
    inner join sampled on baskets.buyer_key = sampled.buyer_key
    where sampled.cumulated_products <= {{ threshold('affinity_max_lines') }}

),

products_numbered as (

    select
        source_system,
        product_key,
        count(*) as baskets,
        row_number() over (
            partition by source_system
            order by count(*) desc, product_key asc
        ) as product_number

    from lines_of_sample
    group by source_system, product_key

),

-- few baskets can show no affinity
lines_of_tested_products as (

    select
        lines_of_sample.*,
        cast(products_numbered.product_number as int) as product_number,
        count(*) over (partition by lines_of_sample.basket_number) as basket_products

    from lines_of_sample
    inner join products_numbered
        on lines_of_sample.product_key = products_numbered.product_key
    where
        products_numbered.baskets >= {{ threshold('affinity_min_baskets') }}
        and products_numbered.product_number
        <= {{ threshold('affinity_max_products') }}

)

select * from lines_of_tested_products
where basket_products >= 2
