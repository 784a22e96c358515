with

customers as (

    select * from {{ ref('stg_marketplace__customers') }}
    where is_usable

),

genders as (

    select * from {{ ref('stg_marketplace__genders') }}
    where is_usable

),

cities as (

    select * from {{ ref('stg_marketplace__cities') }}
    where is_usable

),

conformed as (

    select
        {{ entity_key('marketplace', 'customers.customer_id') }} as customer_key,
        'marketplace' as source_system,
        customers.customer_id,
        customers.joined_at,
        genders.gender,
        cities.city,
        cast(null as string) as country,
        cast(null as int) as age,
        cast(null as decimal(18, 2)) as annual_income,
        cast(null as int) as spending_score

    from customers
    left join genders on customers.gender_id = genders.gender_id
    left join cities on customers.city_id = cities.city_id

)

select * from conformed
