-- What share of the purchases and of the money is of guests, whom no table of customers
-- has? Adjustments and write-offs, which name nobody either, do not count.
with

transactions as (

    select * from {{ ref('transactions') }}
    where is_completed

)

select
    source_system,
    count(*) as purchases,
    count(*) filter (where customer_key is null) as guest_purchases,
    {{ ratio('count(*) filter (where customer_key is null)', 'count(*)') }}
        as guest_purchase_share,
    sum(amount) as gross_revenue,
    sum(case when customer_key is null then amount else 0 * amount end)
        as guest_revenue,
    {{ ratio(
        'sum(case when customer_key is null then amount else 0 * amount end)',
        'sum(amount)'
    ) }} as guest_revenue_share

from transactions
group by source_system
order by source_system
