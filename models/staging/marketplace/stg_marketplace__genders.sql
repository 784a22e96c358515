{% set columns = ['gender_id', 'gender_name'] %}

with

source as (

    select * from {{ source('marketplace', 'genders') }}

),

{{ distinct_rows('source', columns) }},

typed as (

    select
        {{ identifier('gender_id') }} as gender_id,
        {{ text('gender_name') }} as gender,
        {{ raw_values(columns) }} as raw_values,
        copies

    from distinct_rows

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
