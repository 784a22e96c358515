with

customers as (

    select * from {{ ref('base_marketplace__customers') }}

),

usable as (

    select
        customer_id,
        gender_id,
        city_id,
        joined_at

    from customers
    where reasons = ''

)

select * from usable
