with

cities as (

    select * from {{ ref('base_marketplace__cities') }}

),

usable as (

    select
        city_id,
        city

    from cities
    where reasons = ''

)

select * from usable
