-- every customer with a purchase is in one cohort, with all purchases and all money
with

customer_cohorts as (

    select * from {{ ref('customer_cohorts') }}

),

customers as (

    select * from {{ ref('customers') }}

),

cohorts_summed as (

    select
        source_system,
        sum(case when months_since = 0 then customers end) as customers,
        sum(purchases) as purchases,
        sum(revenue) as revenue

    from customer_cohorts
    group by source_system

),

customers_summed as (

    select
        source_system,
        count(*) as customers,
        sum(lifetime_purchases) as purchases,
        sum(lifetime_spent) as revenue

    from customers
    where lifetime_purchases > 0
    group by source_system

),

-- the first purchase of each customer begins a complete row of months
triangle as (

    select
        source_system,
        cohort_month_date,
        max(months_since) + 1 - count(*) as missing_months

    from customer_cohorts
    group by source_system, cohort_month_date

)

select
    customers_summed.source_system,
    'sums' as what

from customers_summed
left join cohorts_summed
    on customers_summed.source_system = cohorts_summed.source_system
where
    customers_summed.customers is distinct from cohorts_summed.customers
    or customers_summed.purchases is distinct from cohorts_summed.purchases
    or customers_summed.revenue is distinct from cohorts_summed.revenue

union all

select
    source_system,
    'missing months' as what

from triangle
where missing_months <> 0
