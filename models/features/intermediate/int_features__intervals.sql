{{ config(materialized='table') }}

with

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}

),

source_systems as (

    select * from {{ ref('int_features__source_systems') }}

),

transactions as (

    select * from {{ ref('int_features__transactions') }}

),

-- two invoices of one day are one visit to the shop
purchase_days as (

    select distinct
        customer_key,
        as_of_date,
        cast(completed_at as date) as purchase_date

    from transactions
    where is_completed

),

intervals_measured as (

    select
        customer_key,
        as_of_date,
        purchase_date,
        lead(purchase_date) over days is null as is_last,
        cast(
            {{ dbt.datediff('lag(purchase_date) over days', 'purchase_date', 'day') }}
            as bigint
        ) as interval_days

    from purchase_days
    window
        days as (
            partition by customer_key, as_of_date
            order by purchase_date asc
        )

),

-- the first day has no interval before it
summed_to_customers as (

    select
        customer_key,
        as_of_date,
        max(purchase_date) as last_purchase_date,
        count(*) as purchase_days,
        count(interval_days) as intervals,
        sum(interval_days) as total_days,
        sum(interval_days * interval_days) as squared_days,
        max(interval_days) as longest_interval_days,
        max(case when is_last then interval_days end) as last_interval_days

    from intervals_measured
    group by customer_key, as_of_date

),

-- the sample standard deviation over the mean, in whole numbers up to the last steps
measured as (

    select
        as_of_dates.customer_key,
        as_of_dates.as_of_date,
        coalesce(summed.purchase_days, 0) as purchase_days,
        summed.last_purchase_date,
        summed.longest_interval_days,
        summed.last_interval_days,
        {{ ratio('summed.total_days', 'summed.intervals') }} as interpurchase_days,
        {{ ratio(
            'sqrt(' ~ ratio(
                'summed.intervals * (summed.intervals * summed.squared_days'
                ~ ' - summed.total_days * summed.total_days)',
                '(summed.intervals - 1)'
            ) ~ ')',
            'summed.total_days'
        ) }} as interpurchase_variation

    from as_of_dates
    inner join source_systems
        on as_of_dates.source_system = source_systems.source_system
    left join summed_to_customers as summed
        on
            as_of_dates.customer_key = summed.customer_key
            and as_of_dates.as_of_date = summed.as_of_date
    where source_systems.has_transactions

),

compared as (

    select
        customer_key,
        as_of_date,
        purchase_days,
        interpurchase_days,
        interpurchase_variation,
        longest_interval_days,
        last_interval_days,
        interpurchase_days * interpurchase_variation as interpurchase_deviation,
        {{ ratio(
            dbt.datediff('last_purchase_date', 'as_of_date', 'day'),
            'interpurchase_days'
        ) }} as overdue_ratio

    from measured

)

select * from compared
