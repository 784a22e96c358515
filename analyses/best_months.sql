-- Which months of the year sell? Each month beside the mean month, where 1 is as many
-- purchases as in the mean month. Months that the record covers only in part do not
-- count. Where a shop grows, the months that only its later years have look better.
with

monthly_sales as (

    select * from {{ ref('monthly_sales') }}
    where not is_partial

),

averaged as (

    select
        source_system,
        month(month_date) as month_of_year,
        count(*) as months,
        {{ ratio('sum(purchases)', 'count(*)') }} as mean_purchases,
        {{ ratio('sum(revenue)', 'count(*)') }} as mean_revenue,
        sum(purchases) as purchases

    from monthly_sales
    group by source_system, month(month_date)

)

select
    source_system,
    month_of_year,
    months,
    mean_purchases,
    mean_revenue,
    mean_purchases
    / nullif({{ ratio('sum(purchases) over shop', 'sum(months) over shop') }}, 0)
        as purchase_index

from averaged
window shop as (partition by source_system)
order by source_system asc, month_of_year asc
