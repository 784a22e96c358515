{{ config(materialized='table') }}

with

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}

),

customers as (

    select * from {{ ref('customers') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions as (

    select * from {{ ref('int_features__transactions') }}

),

transactions_summed as (

    select
        customer_key,
        as_of_date,
        {{ lifetime_totals() }}

    from transactions
    group by customer_key, as_of_date

),

-- redeeming a coupon that was claimed long ago is activity too
measured as (

    select
        as_of_dates.customer_key,
        as_of_dates.as_of_date,
        cast(
            {{ dbt.datediff(
                'least(customers.joined_at, summed.first_transacted_at)',
                'as_of_dates.as_of_date', 'day'
            ) }} as int
        ) as tenure_days,
        cast(
            {{ dbt.datediff(
                'greatest(summed.last_transacted_at, summed.last_completed_at)',
                'as_of_dates.as_of_date', 'day'
            ) }} as int
        ) as activity_recency_days,
        {{ lifetime_measures('as_of_dates.as_of_date') }},
        case
            when source_systems.has_transactions
                then coalesce(summed.lifetime_transactions, 0)
        end as lifetime_transactions

    from as_of_dates
    inner join customers on as_of_dates.customer_key = customers.customer_key
    inner join source_systems
        on as_of_dates.source_system = source_systems.source_system
    left join transactions_summed as summed
        on
            as_of_dates.customer_key = summed.customer_key
            and as_of_dates.as_of_date = summed.as_of_date

)

select * from measured
