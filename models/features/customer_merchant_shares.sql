with

merchant_shares as (

    select * from {{ ref('int_features__merchant_shares') }}

),

customer_merchant_shares as (

    select
        customer_key,
        source_system,
        merchant_key,
        merchant_name,
        transaction_count,
        merchant_share,
        merchant_rank

    from merchant_shares
    where is_today

)

select * from customer_merchant_shares
