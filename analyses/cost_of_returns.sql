-- What do returns cost? Their number and money, beside those of purchases. A return
-- counts whenever the goods were bought. Source systems without returns have no row.
with

transactions as (

    select * from {{ ref('transactions') }}

),

summed as (

    select
        source_system,
        count(*) filter (where is_completed) as purchases,
        count(*) filter (where is_return) as returns,
        count(distinct case when is_completed then customer_key end) as buyers,
        count(distinct case when is_return then customer_key end) as returners,
        sum(case when is_completed then amount end) as gross_revenue,
        sum(case when is_return then -amount end) as returned_revenue

    from transactions
    group by source_system

)

select
    *,
    {{ ratio('returns', 'purchases') }} as returns_per_purchase,
    {{ ratio('returned_revenue', 'gross_revenue') }} as returned_share

from summed
where returns > 0
order by source_system
