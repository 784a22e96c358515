with

transactions as (

    select * from {{ ref('stg_marketplace__transactions') }}
    where is_usable

),

-- a claimed coupon is an intention; it becomes a purchase when it is burned
conformed as (

    select
        {{ entity_key('marketplace', 'transaction_id') }} as transaction_key,
        'marketplace' as source_system,
        {{ entity_key('marketplace', 'customer_id') }} as customer_key,
        {{ entity_key('marketplace', 'branch_id') }} as branch_key,
        claimed_at as transacted_at,
        burned_at as completed_at,
        case coupon_status
            when 'burned' then 'redeemed'
            when 'subscribed' then 'claimed'
        end as status,
        coupon_code,
        case when coupon_status = 'burned' then amount end as amount

    from transactions

)

select * from conformed
