-- Written from source_systems/orders.yml; do not edit.
-- `customer-segmentation generate-source orders` writes it again.
with

orders as (

    select * from {{ ref('stg_orders__orders') }}
    where is_usable

),

-- the first row of a key counts, which later rows cannot change
rows_ordered as (

    select
        *,
        row_number() over (
            partition by customer_id
            order by order_date asc, order_id asc
        ) as key_row

    from orders
    where customer_id is not null

),

conformed as (

    select
        {{ entity_key('orders', 'customer_id') }} as customer_key,
        'orders' as source_system,
        customer_id,
        order_date as joined_at,
        gender,
        city,
        country,
        age,
        cast(null as decimal(18, 2)) as annual_income,
        cast(null as int) as spending_score

    from rows_ordered
    where key_row = 1

)

select * from conformed
