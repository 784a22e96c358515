{% set columns = [
    'transaction_id', 'customer_id', 'transaction_date', 'transaction_status',
    'coupon_name', 'burn_date', 'branch_id', 'amount',
] %}

with

source as (

    select
        transaction_id,
        customer_id,
        transaction_date,
        transaction_status,
        coupon_name,
        burn_date,
        branch_id,
        {{ raw_column('marketplace', 'transactions', 'amount') }}

    from {{ source('marketplace', 'transactions') }}

),

{{ distinct_rows('source', columns) }},

customers as (

    select * from {{ ref('stg_marketplace__customers') }}
    where is_usable

),

branches as (

    select * from {{ ref('stg_marketplace__branches') }}
    where is_usable

),

typed as (

    select
        ---------- ids
        {{ identifier('transaction_id') }} as transaction_id,
        {{ identifier('customer_id') }} as customer_id,
        {{ identifier('branch_id') }} as branch_id,

        ---------- text
        lower({{ text('transaction_status') }}) as coupon_status,
        {{ text('coupon_name') }} as coupon_code,

        ---------- numerics
        {{ money(number('amount')) }} as amount,
        {{ is_unreadable('amount', number('amount')) }} as is_amount_unreadable,

        ---------- timestamps
        {{ timestamp_from_text('transaction_date') }} as claimed_at,
        {{ timestamp_from_text('burn_date') }} as burned_at,
        {{ is_unreadable('burn_date', timestamp_from_text('burn_date')) }}
            as is_burn_date_unreadable,

        {{ raw_values(columns) }} as raw_values,
        copies

    from distinct_rows

),

joined as (

    select
        typed.*,
        customers.customer_id as known_customer_id,
        customers.joined_at,
        branches.branch_id as known_branch_id

    from typed
    left join customers on typed.customer_id = customers.customer_id
    left join branches on typed.branch_id = branches.branch_id

),

{{ flagged('joined', key='transaction_id', reasons={
    'missing_key': 'transaction_id is null or customer_id is null',
    'unreadable_date': 'claimed_at is null or is_burn_date_unreadable',
    'unreadable_number': 'is_amount_unreadable',
    'unknown_status': "coalesce(coupon_status, '') not in ('subscribed', 'burned')",
    'orphan_customer': 'customer_id is not null and known_customer_id is null',
    'orphan_branch': 'branch_id is not null and known_branch_id is null',
    'status_contradicts_burn_date': "(
        (coupon_status = 'burned' and burned_at is null)
        or (coupon_status = 'subscribed' and burned_at is not null)
    ) and not is_burn_date_unreadable",
    'burn_before_claim': 'cast(burned_at as date) < cast(claimed_at as date)',
    'transaction_before_joining': 'cast(claimed_at as date) < cast(joined_at as date)',
    'negative_amount': 'amount < 0',
}) }}

select
    transaction_id,
    customer_id,
    branch_id,
    coupon_status,
    coupon_code,
    amount,
    claimed_at,
    burned_at,
    is_usable,
    reasons,
    copy_number,
    raw_record

from flagged
