{% set columns = ['city_id', 'city_name'] %}

with

source as (

    select * from {{ source('marketplace', 'cities') }}

),

{{ distinct_rows('source', columns) }},

typed as (

    select
        {{ identifier('city_id') }} as city_id,
        {{ text('city_name') }} as city,
        {{ raw_values(columns) }} as raw_values,
        copies

    from distinct_rows

),

{{ flagged('typed', key='city_id', reasons={
    'missing_key': 'city_id is null',
}) }}

select
    city_id,
    city,
    is_usable,
    reasons,
    copy_number,
    raw_record

from flagged
