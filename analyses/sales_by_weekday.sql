-- On which weekdays do customers buy? From 1 (Monday) to 7 (Sunday), guests included.
with

transactions as (

    select * from {{ ref('transactions') }}
    where is_completed

),

with_weekday as (

    select
        source_system,
        {{ day_of_week('completed_at') }} as weekday_number,
        amount

    from transactions

),

summed_to_weekdays as (

    select
        source_system,
        weekday_number,
        count(*) as purchases,
        sum(amount) as gross_revenue

    from with_weekday
    group by source_system, weekday_number

)

select
    source_system,
    weekday_number,
    purchases,
    {{ ratio('purchases', 'sum(purchases) over shop') }} as purchase_share,
    gross_revenue,
    {{ ratio('gross_revenue', 'sum(gross_revenue) over shop') }} as revenue_share

from summed_to_weekdays
window shop as (partition by source_system)
order by source_system asc, weekday_number asc
