-- How many customers bought once, and how much of the money is theirs? Customers
-- without a purchase do not count.
with

customers as (

    select * from {{ ref('customers') }}

)

select
    source_system,
    count(*) as buyers,
    count(*) filter (where lifetime_purchases = 1) as bought_once,
    {{ ratio('count(*) filter (where lifetime_purchases = 1)', 'count(*)') }}
        as bought_once_share,
    sum(lifetime_spent) as revenue,
    {{ ratio(
        'sum(case when lifetime_purchases = 1 then lifetime_spent end)',
        'sum(lifetime_spent)'
    ) }} as bought_once_revenue_share

from customers
where lifetime_purchases > 0
group by source_system
order by source_system
