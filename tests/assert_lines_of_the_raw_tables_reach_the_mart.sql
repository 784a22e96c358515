-- without an as-of date, every staged invoice line is a transaction line, guests' too
{{ config(
    enabled='online_retail' in var('source_systems') and not var('as_of_date'),
    group='warehouse',
) }}

with

staged as (

    select
        count(*) as line_count,
        sum(amount) as amount

    from {{ ref('stg_online_retail__invoice_lines') }}

),

published as (

    select
        count(*) as line_count,
        sum(amount) as amount

    from {{ ref('transaction_lines') }}
    where source_system = 'online_retail'

)

select
    staged.line_count,
    staged.amount,
    published.line_count as published_line_count,
    published.amount as published_amount

from staged
cross join published
where
    staged.line_count <> published.line_count
    or staged.amount is distinct from published.amount
