{{ config(materialized='table') }}

with

transactions as (

    select * from {{ ref('int_features__transactions') }}

),

-- a claimed coupon shows an interest in the merchant, redeemed or not
summed_to_merchants as (

    select
        customer_key,
        source_system,
        as_of_date,
        is_today,
        merchant_key,
        min(merchant_name) as merchant_name,
        count(*) as transaction_count,
        count(completed_at) as purchases,
        max(transacted_at) as last_transacted_at

    from transactions
    where merchant_key is not null
    group by customer_key, source_system, as_of_date, is_today, merchant_key

),

-- ties go to the merchant with more purchases, then to the more recent one
merchants_ranked as (

    select
        *,
        sum(transaction_count) over (partition by customer_key, as_of_date)
            as transactions_of_customer,
        row_number() over (
            partition by customer_key, as_of_date
            order by
                transaction_count desc,
                purchases desc,
                last_transacted_at desc,
                merchant_key asc
        ) as merchant_rank

    from summed_to_merchants

),

merchant_shares as (

    select
        customer_key,
        source_system,
        as_of_date,
        is_today,
        merchant_key,
        merchant_name,
        transaction_count,
        {{ ratio('transaction_count', 'transactions_of_customer') }} as merchant_share,
        cast(merchant_rank as int) as merchant_rank

    from merchants_ranked

)

select * from merchant_shares
