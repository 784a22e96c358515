-- Written from source_systems/orders.yml; do not edit.
-- `customer-segmentation generate-source orders` writes it again.
{% set columns = [
    'order_id', 'customer_id', 'order_date', 'amount', 'status', 'country', 'city',
    'gender', 'age',
] %}

with

source as (

    select
        order_id,
        customer_id,
        order_date,
        amount,
        {{ raw_column('orders', 'orders', 'status') }},
        {{ raw_column('orders', 'orders', 'country') }},
        {{ raw_column('orders', 'orders', 'city') }},
        {{ raw_column('orders', 'orders', 'gender') }},
        {{ raw_column('orders', 'orders', 'age') }}

    from {{ source('orders', 'orders') }}

),

{{ distinct_rows('source', columns) }},

typed as (

    select
        ---------- ids
        {{ identifier('order_id') }} as order_id,
        {{ identifier('customer_id') }} as customer_id,

        ---------- text
        {{ known_text('status') }} as status,
        {{ known_text('country') }} as country,
        {{ known_text('city') }} as city,
        {{ known_text('gender') }} as gender,

        ---------- numerics
        {{ number('amount') }} as amount,
        {{ number('age') }} as age,
        (
            {{ number('amount') }} is null
            or {{ is_unreadable('age', number('age')) }}
        ) as is_number_unreadable,

        ---------- timestamps
        {{ timestamp_from_text('order_date') }} as order_date,
        (
            {{ timestamp_from_text('order_date') }} is null
        ) as is_date_unreadable,

        {{ raw_values(columns) }} as raw_values,
        copies

    from distinct_rows

),

{{ flagged('typed', key='order_id', reasons={
    'missing_key': 'order_id is null',
    'unreadable_date': 'is_date_unreadable',
    'unreadable_number': 'is_number_unreadable',
    'unknown_status': "
        lower(status) not in ('sold', 'paid', 'completed', 'complete', 'fulfilled',
        'shipped', 'delivered', 'returned', 'refunded', 'refund', 'pending',
        'cancelled', 'canceled', 'failed', 'on hold')",
    'impossible_value': 'age not between 0 and 120',
}) }}

select
    order_id,
    customer_id,
    order_date,
    {{ money('amount') }} as amount,
    status,
    country,
    city,
    gender,
    {{ whole_number('age', 'int') }} as age,
    is_usable,
    reasons,
    copy_number,
    raw_record

from flagged
