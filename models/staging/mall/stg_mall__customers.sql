-- Written from source_systems/mall.yml; do not edit.
-- `customer-segmentation generate-source mall` writes it again.
{% set columns = ['customer_id', 'gender', 'age', 'annual_income', 'spending_score'] %}

with

source as (

    select * from {{ source('mall', 'customers') }}

),

{{ distinct_rows('source', columns) }},

typed as (

    select
        ---------- ids
        {{ identifier('customer_id') }} as customer_id,

        ---------- text
        {{ known_text('gender') }} as gender,

        ---------- numerics
        {{ number('age') }} as age,
        {{ number('annual_income') }} as annual_income,
        {{ number('spending_score') }} as spending_score,
        (
            {{ is_unreadable('age', number('age')) }}
            or {{ is_unreadable('annual_income', number('annual_income')) }}
            or {{ is_unreadable('spending_score', number('spending_score')) }}
        ) as is_number_unreadable,

        {{ raw_values(columns) }} as raw_values,
        copies

    from distinct_rows

),

{{ flagged('typed', key='customer_id', reasons={
    'missing_key': 'customer_id is null',
    'unreadable_number': 'is_number_unreadable',
    'impossible_value': '
        age not between 0 and 120 or annual_income < 0 or spending_score not between
        1 and 100',
}) }}

select
    customer_id,
    gender,
    {{ whole_number('age', 'int') }} as age,
    {{ money('annual_income') }} as annual_income,
    {{ whole_number('spending_score', 'int') }} as spending_score,
    is_usable,
    reasons,
    copy_number,
    raw_record

from flagged
