with

genders as (

    select * from {{ ref('base_marketplace__genders') }}

),

usable as (

    select
        gender_id,
        gender

    from genders
    where reasons = ''

)

select * from usable
