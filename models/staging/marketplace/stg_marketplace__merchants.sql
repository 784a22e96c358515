{% set columns = ['merchant_id', 'merchant_name'] %}

with

source as (

    select * from {{ source('marketplace', 'merchants') }}

),

{{ distinct_rows('source', columns) }},

typed as (

    select
        {{ identifier('merchant_id') }} as merchant_id,
        {{ text('merchant_name') }} as merchant_name,
        {{ raw_values(columns) }} as raw_values,
        copies

    from distinct_rows

),

{{ flagged('typed', key='merchant_id', reasons={
    'missing_key': 'merchant_id is null',
}) }}

select
    merchant_id,
    merchant_name,
    is_usable,
    reasons,
    copy_number,
    raw_record

from flagged
