with

invoice_lines as (

    select * from {{ ref('base_online_retail__invoice_lines') }}

),

usable as (

    select
        invoice_id,
        stock_code,
        customer_id,
        description,
        country,
        invoice_kind,
        quantity,
        unit_price,
        amount,
        invoiced_at

    from invoice_lines
    where reasons = ''

)

select * from usable
