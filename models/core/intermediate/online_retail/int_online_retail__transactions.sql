{{ config(materialized='table') }}

with

invoice_lines as (

    select * from {{ ref('stg_online_retail__invoice_lines') }}
    where is_usable

),

-- an invoice with two timestamps or customers takes the minimum of each
lines_summed_to_invoices as (

    select
        invoice_id,
        min(customer_id) as customer_id,
        min(invoiced_at) as transacted_at,
        min(invoice_kind) as invoice_kind,
        max(quantity) as max_quantity,
        sum(amount) as amount

    from invoice_lines
    group by invoice_id

),

-- an ordinary invoice with negative quantities only is a correction of the stock
invoices_classified as (

    select
        *,
        case
            when invoice_kind = 'return' then 'returned'
            when invoice_kind = 'adjustment' then 'adjusted'
            when max_quantity > 0 then 'sold'
            else 'written_off'
        end as status

    from lines_summed_to_invoices

),

conformed as (

    select
        {{ entity_key('online_retail', 'invoice_id') }} as transaction_key,
        'online_retail' as source_system,
        {{ entity_key('online_retail', 'customer_id') }} as customer_key,
        cast(null as string) as branch_key,
        transacted_at,
        case when status = 'sold' then transacted_at end as completed_at,
        status,
        cast(null as string) as coupon_code,
        amount

    from invoices_classified

)

select * from conformed
