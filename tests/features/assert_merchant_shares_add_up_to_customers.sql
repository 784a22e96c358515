-- every transaction of a customer at a merchant counts, once, and the shares are whole
with

transactions as (

    select * from {{ ref('transactions') }}

),

customer_merchant_shares as (

    select * from {{ ref('customer_merchant_shares') }}

),

transactions_summed_to_customers as (

    select
        customer_key,
        count(*) as transaction_count

    from transactions
    where customer_key is not null and merchant_key is not null
    group by customer_key

),

shares_summed_to_customers as (

    select
        customer_key,
        sum(transaction_count) as transaction_count,
        sum(merchant_share) as merchant_share

    from customer_merchant_shares
    group by customer_key

)

select
    transactions_summed_to_customers.customer_key,
    transactions_summed_to_customers.transaction_count,
    shares_summed_to_customers.transaction_count as transaction_count_of_shares,
    shares_summed_to_customers.merchant_share

from transactions_summed_to_customers
left join shares_summed_to_customers
    on
        transactions_summed_to_customers.customer_key
        = shares_summed_to_customers.customer_key
where
    transactions_summed_to_customers.transaction_count
    is distinct from shares_summed_to_customers.transaction_count
    or abs(shares_summed_to_customers.merchant_share - 1) > 1e-9
