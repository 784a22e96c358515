with

invoice_lines as (

    select * from {{ ref('stg_online_retail__invoice_lines') }}
    where is_usable

),

products as (

    select * from {{ ref('int_online_retail__products') }}

),

-- the raw files have no line numbers; lines that tie on all of these columns are
-- identical in every column that is kept
lines_numbered as (

    select
        *,
        row_number() over (
            partition by invoice_id, stock_code
            order by
                invoiced_at asc,
                quantity asc,
                unit_price asc,
                description asc nulls last,
                customer_id asc nulls last,
                country asc nulls last
        ) as line_number

    from invoice_lines

),

conformed as (

    select
        {{ entity_key('online_retail', key_part('lines_numbered.invoice_id')) }}
        || ':' || {{ key_part('lines_numbered.stock_code') }}
        || ':' || cast(lines_numbered.line_number as string) as transaction_line_key,
        'online_retail' as source_system,
        {{ entity_key('online_retail', 'lines_numbered.invoice_id') }}
            as transaction_key,
        products.product_key,
        products.is_product,
        lines_numbered.description,
        lines_numbered.quantity,
        lines_numbered.unit_price,
        lines_numbered.amount

    from lines_numbered
    inner join products on lines_numbered.stock_code = products.product_id

)

select * from conformed
