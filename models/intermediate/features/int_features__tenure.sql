with

customers as (

    select * from {{ ref('customers') }}

),

source_systems as (

    select * from {{ ref('int_features__source_systems') }}

),

-- to redeem a coupon that was claimed long ago is activity too
dated as (

    select
        customers.customer_key,
        source_systems.as_of_date,
        least(customers.joined_at, customers.first_transacted_at) as known_since,
        greatest(customers.last_transacted_at, customers.last_completed_at)
            as last_active_at

    from customers
    inner join source_systems
        on customers.source_system = source_systems.source_system

),

measured as (

    select
        customer_key,
        as_of_date,
        cast(
            {{ dbt.datediff(
                'known_since', 'as_of_date', 'day'
            ) }} as int
        ) as tenure_days,
        cast(
            {{ dbt.datediff(
                'last_active_at', 'as_of_date', 'day'
            ) }} as int
        ) as activity_recency_days

    from dated

)

select * from measured
