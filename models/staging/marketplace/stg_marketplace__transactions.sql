with

transactions as (

    select * from {{ ref('base_marketplace__transactions') }}

),

usable as (

    select
        transaction_id,
        customer_id,
        branch_id,
        coupon_status,
        coupon_code,
        amount,
        claimed_at,
        burned_at

    from transactions
    where reasons = ''

)

select * from usable
