-- The clean set of the literature: customer known, not cancelled, quantity and
-- price above zero. UCI Online Retail has 392,692 such lines worth 8,887,208.89
-- pounds without its exact duplicates, and 397,884 worth 8,911,407.90 pounds with
-- them, both of 4,338 customers and 18,532 invoices.
{{ config(
    group='warehouse',
    enabled='online_retail' in var('source_systems'),
) }}

with

invoice_lines as (

    select * from {{ ref('stg_online_retail__invoice_lines') }}

),

clean_lines as (

    select * from invoice_lines
    where
        reasons in ('', 'exact_duplicate')
        and customer_id is not null
        and invoice_kind = 'sale'
        and quantity > 0
        and unit_price > 0

)

select
    count(*) filter (where reasons = '') as lines_deduplicated,
    sum(amount) filter (where reasons = '') as amount_deduplicated,
    count(*) as lines_with_duplicates,
    sum(amount) as amount_with_duplicates,
    count(distinct customer_id) as customers,
    count(distinct invoice_id) as invoices

from clean_lines
