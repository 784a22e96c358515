with

stages as (

    select * from {{ ref('int_movement__stages') }}

),

-- a purchase is due when the usual interval after the last one has passed
customer_lifecycle as (

    select
        customer_key,
        source_system,
        as_of_date,
        lifecycle_stage,
        purchase_days,
        recency_days,
        usual_interval_days,
        greatest(recency_days - usual_interval_days, 0) as overdue_days,
        {{ days_after(
            'cast(round(usual_interval_days) as int)',
            days_before('recency_days', 'as_of_date')
        ) }} as due_date,
        alive_probability,
        momentum,
        horizon_days,
        return_probability

    from stages
    where is_today

)

select * from customer_lifecycle
