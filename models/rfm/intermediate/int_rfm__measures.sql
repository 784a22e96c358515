with

customers as (

    select * from {{ ref('int_observations__customers') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

measured as (

    select
        customers.customer_key,
        customers.source_system,
        customers.as_of_date,
        customers.is_present,
        cast(
            {{ dbt.datediff(
                'customers.last_completed_at', 'customers.as_of_date', 'day'
            ) }} as int
        ) as recency_days,
        customers.lifetime_purchases as frequency,
        customers.lifetime_spent as monetary

    from customers
    inner join source_systems
        on customers.source_system = source_systems.source_system
    where source_systems.has_transactions

)

select * from measured
