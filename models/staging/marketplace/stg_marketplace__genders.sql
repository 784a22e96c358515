with

source as (

    select * from {{ source('marketplace', 'genders') }}

),

typed as (

    select
        {{ identifier('gender_id') }} as gender_id,
        {{ text('gender_name') }} as gender,
        {{ raw_record(['gender_id', 'gender_name']) }} as raw_row

    from source

),

{{ flagged('typed', key='gender_id', reasons={
    'missing_key': 'gender_id is null',
}) }}

select
    gender_id,
    gender,
    is_usable,
    reasons,
    copy_number,
    raw_record

from flagged
