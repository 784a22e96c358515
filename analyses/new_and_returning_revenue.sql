-- How much of each month's revenue comes from new customers, from returning ones, and
-- from nobody known? In the first months of a record, returning customers look new.
with

monthly_sales as (

    select * from {{ ref('monthly_sales') }}

)

select
    source_system,
    month_date,
    is_partial,
    new_customers,
    customers - new_customers as returning_customers,
    revenue,
    new_customer_revenue,
    revenue - new_customer_revenue - guest_revenue as returning_customer_revenue,
    guest_revenue,
    {{ ratio('new_customer_revenue', 'revenue - guest_revenue') }}
        as new_share_of_known

from monthly_sales
order by source_system asc, month_date asc
