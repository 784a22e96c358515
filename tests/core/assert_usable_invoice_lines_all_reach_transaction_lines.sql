{# with the var as_of_date, later lines are not in transaction_lines -#}
{{ config(
    group='warehouse',
    enabled='online_retail' in var('source_systems') and not var('as_of_date'),
) }}

-- transaction_lines has every usable invoice line, and its amount
with

invoice_lines as (

    select
        count(*) as row_count,
        sum(amount) as amount

    from {{ ref('stg_online_retail__invoice_lines') }}
    where is_usable

),

transaction_lines as (

    select
        count(*) as row_count,
        sum(amount) as amount

    from {{ ref('transaction_lines') }}
    where source_system = 'online_retail'

)

select
    invoice_lines.row_count,
    invoice_lines.amount,
    transaction_lines.row_count as transaction_line_count,
    transaction_lines.amount as transaction_line_amount

from invoice_lines
cross join transaction_lines
where
    invoice_lines.row_count <> transaction_lines.row_count
    or invoice_lines.amount is distinct from transaction_lines.amount
