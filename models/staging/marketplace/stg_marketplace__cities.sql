with

source as (

    select * from {{ source('marketplace', 'cities') }}

),

typed as (

    select
        {{ identifier('city_id') }} as city_id,
        {{ text('city_name') }} as city,
        {{ raw_record(['city_id', 'city_name']) }} as raw_record

    from source

),

{{ flagged('typed', key='city_id', reasons={
    'missing_key': 'city_id is null',
}) }}

select
    city_id,
    city,
    {{ rejected_columns() }}

from flagged
