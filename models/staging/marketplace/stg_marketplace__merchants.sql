with

merchants as (

    select * from {{ ref('base_marketplace__merchants') }}

),

usable as (

    select
        merchant_id,
        merchant_name

    from merchants
    where reasons = ''

)

select * from usable
