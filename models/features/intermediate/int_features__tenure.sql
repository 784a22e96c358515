with

customers as (

    select * from {{ ref('int_observations__customers') }}

),

-- to redeem a coupon that was claimed long ago is activity too
dated as (

    select
        customer_key,
        as_of_date,
        least(joined_at, first_transacted_at) as known_since,
        greatest(last_transacted_at, last_completed_at) as last_active_at

    from customers

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
