with

source as (

    select * from {{ source('marketplace', 'cities') }}

),

typed as (

    select
        {{ identifier('city_id') }} as city_id,
        {{ text('city_name') }} as city,
        {{ raw_record(['city_id', 'city_name']) }} as raw_row

    from source

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
