with

months as (

    select * from {{ ref('int_movement__months') }}

),

customer_months as (

    select * from {{ ref('int_movement__customer_months') }}

),

first_purchases as (

    select
        customer_key,
        source_system,
        min(month_date) as cohort_month_date

    from customer_months
    where purchases > 0
    group by customer_key, source_system

),

cohorts as (

    select
        source_system,
        cohort_month_date,
        count(*) as customers

    from first_purchases
    group by source_system, cohort_month_date

),

-- a month without activity has a row too
triangle as (

    select
        cohorts.source_system,
        cohorts.cohort_month_date,
        months.month_date,
        months.is_complete,
        cohorts.customers,
        cast(
            {{ dbt.datediff(
                'cohorts.cohort_month_date', 'months.month_date', 'month'
            ) }} as int
        ) as months_since

    from cohorts
    inner join months
        on
            cohorts.source_system = months.source_system
            and cohorts.cohort_month_date <= months.month_date

),

-- what was returned before the first purchase counts in the month of that purchase
activity as (

    select
        first_purchases.source_system,
        first_purchases.cohort_month_date,
        greatest(customer_months.month_date, first_purchases.cohort_month_date)
            as month_date,
        count(*) filter (where customer_months.purchases > 0) as active_customers,
        sum(customer_months.purchases) as purchases,
        sum(customer_months.spent) as revenue

    from first_purchases
    inner join customer_months
        on first_purchases.customer_key = customer_months.customer_key
    group by
        first_purchases.source_system,
        first_purchases.cohort_month_date,
        greatest(customer_months.month_date, first_purchases.cohort_month_date)

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

measured as (

    select
        triangle.source_system,
        triangle.cohort_month_date,
        triangle.months_since,
        triangle.month_date,
        triangle.is_complete,
        triangle.customers,
        coalesce(activity.active_customers, 0) as active_customers,
        cast(coalesce(activity.purchases, 0) as bigint) as purchases,
        case
            when source_systems.has_amounts
                then cast(coalesce(activity.revenue, 0) as decimal(18, 2))
        end as revenue,
        {{ ratio('coalesce(activity.active_customers, 0)', 'triangle.customers') }}
            as retention

    from triangle
    inner join source_systems
        on triangle.source_system = source_systems.source_system
    left join activity
        on
            triangle.source_system = activity.source_system
            and triangle.cohort_month_date = activity.cohort_month_date
            and triangle.month_date = activity.month_date

)

select * from measured
