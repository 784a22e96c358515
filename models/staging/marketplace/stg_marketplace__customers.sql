{% set columns = ['customer_id', 'join_date', 'city_id', 'gender_id'] %}

with

source as (

    select * from {{ source('marketplace', 'customers') }}

),

{{ distinct_rows('source', columns) }},

genders as (

    select * from {{ ref('stg_marketplace__genders') }}
    where is_usable

),

cities as (

    select * from {{ ref('stg_marketplace__cities') }}
    where is_usable

),

typed as (

    select
        ---------- ids
        {{ identifier('customer_id') }} as customer_id,
        {{ identifier('gender_id') }} as gender_id,
        {{ identifier('city_id') }} as city_id,

        ---------- timestamps
        {{ timestamp_from_text('join_date') }} as joined_at,

        {{ raw_values(columns) }} as raw_values,
        copies

    from distinct_rows

),

joined as (

    select
        typed.*,
        genders.gender_id as known_gender_id,
        cities.city_id as known_city_id

    from typed
    left join genders on typed.gender_id = genders.gender_id
    left join cities on typed.city_id = cities.city_id

),

{{ flagged('joined', key='customer_id', reasons={
    'missing_key': 'customer_id is null',
    'unreadable_date': 'joined_at is null',
    'orphan_gender': 'gender_id is not null and known_gender_id is null',
    'orphan_city': 'city_id is not null and known_city_id is null',
}) }}

select
    customer_id,
    gender_id,
    city_id,
    joined_at,
    is_usable,
    reasons,
    copy_number,
    raw_record

from flagged
