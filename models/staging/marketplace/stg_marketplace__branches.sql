{% set columns = ['branch_id', 'merchant_id'] %}

with

source as (

    select * from {{ source('marketplace', 'branches') }}

),

{{ distinct_rows('source', columns) }},

merchants as (

    select * from {{ ref('stg_marketplace__merchants') }}
    where is_usable

),

typed as (

    select
        {{ identifier('branch_id') }} as branch_id,
        {{ identifier('merchant_id') }} as merchant_id,
        {{ raw_values(columns) }} as raw_values,
        copies

    from distinct_rows

),

joined as (

    select
        typed.*,
        merchants.merchant_id as known_merchant_id

    from typed
    left join merchants on typed.merchant_id = merchants.merchant_id

),

{{ flagged('joined', key='branch_id', reasons={
    'missing_key': 'branch_id is null',
    'orphan_merchant': 'merchant_id is not null and known_merchant_id is null',
}) }}

select
    branch_id,
    merchant_id,
    is_usable,
    reasons,
    copy_number,
    raw_record

from flagged
