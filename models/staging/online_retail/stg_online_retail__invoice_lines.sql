{% set columns = [
    'invoice', 'stock_code', 'description', 'quantity', 'invoice_date', 'price',
    'customer_id', 'country',
] %}

with

source as (

    select * from {{ source('online_retail', 'invoice_lines') }}

),

{{ distinct_rows('source', columns) }},

typed as (

    select
        ---------- ids
        {{ identifier('invoice') }} as invoice_id,
        upper({{ text('stock_code') }}) as stock_code,
        {{ identifier('customer_id') }} as customer_id,

        ---------- text
        {{ text('description') }} as description,
        {{ text('country') }} as country,
        case substr(upper({{ text('invoice') }}), 1, 1)
            when 'C' then 'return'
            when 'A' then 'adjustment'
            else 'sale'
        end as invoice_kind,

        ---------- numerics
        -- wide enough for any quantity times any price
        cast({{ number('quantity') }} as decimal(20, 4)) as quantity,
        {{ number('price') }} as unit_price,

        ---------- timestamps
        {{ timestamp_from_text('invoice_date') }} as invoiced_at,

        {{ raw_values(columns) }} as raw_values,
        copies

    from distinct_rows

),

{{ flagged('typed', reasons={
    'missing_key': 'invoice_id is null or stock_code is null',
    'unreadable_date': 'invoiced_at is null',
    'unreadable_number': "
        quantity is null
        or quantity <> floor(quantity)
        or unit_price is null
        or " ~ money('quantity * unit_price') ~ " is null",
    'negative_price': "unit_price < 0 and invoice_kind = 'sale'",
}) }}

select
    invoice_id,
    stock_code,
    customer_id,
    description,
    country,
    invoice_kind,
    {{ whole_number('quantity', 'bigint') }} as quantity,
    unit_price,
    {{ money('quantity * unit_price') }} as amount,
    invoiced_at,
    is_usable,
    reasons,
    copy_number,
    raw_record

from flagged
