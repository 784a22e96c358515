{{ config(materialized='table') }}

with

invoice_lines as (

    select * from {{ ref('stg_online_retail__invoice_lines') }}
    where is_usable

),

-- a customer with two countries gets the one of the first invoice, which later invoices
-- cannot change
lines_ordered as (

    select
        customer_id,
        country,
        invoiced_at,
        row_number() over (
            partition by customer_id
            order by invoiced_at asc, invoice_id asc, country asc nulls last
        ) as line_number

    from invoice_lines
    where customer_id is not null

),

conformed as (

    select
        {{ entity_key('online_retail', 'customer_id') }} as customer_key,
        'online_retail' as source_system,
        customer_id,
        invoiced_at as joined_at,
        cast(null as string) as gender,
        cast(null as string) as city,
        country,
        cast(null as int) as age,
        cast(null as decimal(18, 2)) as annual_income,
        cast(null as int) as spending_score

    from lines_ordered
    where line_number = 1

)

select * from conformed
