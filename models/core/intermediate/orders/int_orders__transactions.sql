-- Written from source_systems/orders.yml; do not edit.
-- `customer-segmentation generate-source orders` writes it again.
with

orders as (

    select * from {{ ref('stg_orders__orders') }}
    where is_usable

),

-- without a status, the amount tells a return from a sale
classified as (

    select
        *,
        case
            when lower(status) in (
                    'sold', 'paid', 'completed', 'complete', 'fulfilled', 'shipped',
                    'delivered'
                )
                then 'sold'
            when lower(status) in (
                    'returned', 'refunded', 'refund'
                )
                then 'returned'
            when lower(status) in (
                    'pending', 'cancelled', 'canceled', 'failed', 'on hold'
                )
                then 'adjusted'
            when amount < 0 then 'returned'
            else 'sold'
        end as known_status

    from orders

),

conformed as (

    select
        {{ entity_key('orders', 'order_id') }} as transaction_key,
        'orders' as source_system,
        {{ entity_key('orders', 'customer_id') }} as customer_key,
        cast(null as string) as branch_key,
        order_date as transacted_at,
        case when known_status = 'sold' then order_date end as completed_at,
        known_status as status,
        cast(null as string) as coupon_code,
        case known_status
            when 'sold' then amount
            when 'returned' then -abs(amount)
        end as amount

    from classified

)

select * from conformed
