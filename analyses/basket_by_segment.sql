-- How big is the mean basket of each RFM segment, in money and in products? The mean is
-- over purchases, so customers who buy often count more.
with

transactions as (

    select * from {{ ref('transactions') }}
    where is_completed

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}
    where is_product and quantity > 0

),

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

),

products_counted as (

    select
        transaction_key,
        count(distinct product_key) as products

    from transaction_lines
    group by transaction_key

),

summed_to_segments as (

    select
        transactions.source_system,
        customer_rfm.rfm_segment,
        count(*) as purchases,
        count(products_counted.products) as purchases_with_products,
        sum(products_counted.products) as products,
        sum(transactions.amount) as gross_revenue

    from transactions
    inner join customer_rfm on transactions.customer_key = customer_rfm.customer_key
    left join products_counted
        on transactions.transaction_key = products_counted.transaction_key
    group by transactions.source_system, customer_rfm.rfm_segment

)

select
    source_system,
    rfm_segment,
    purchases,
    gross_revenue,
    {{ ratio('gross_revenue', 'purchases') }} as mean_basket_value,
    {{ ratio('products', 'purchases_with_products') }} as mean_basket_products

from summed_to_segments
order by source_system asc, mean_basket_value desc nulls last, rfm_segment asc
