{{ config(materialized='table') }}

with

histories as (

    select * from {{ ref('int_movement__histories') }}

),

rhythms as (

    select * from {{ ref('int_movement__rhythms') }}

),

limits as (

    select {{ threshold('lapsed_momentum') }} as lapsed_momentum

),

measured as (

    select
        histories.customer_key,
        histories.source_system,
        histories.as_of_date,
        histories.is_today,
        histories.is_training_date,
        histories.purchase_days,
        histories.recency_days,
        histories.days_to_return,
        histories.observed_days,
        rhythms.horizon_days,
        rhythms.usual_interval_days,
        rhythms.alive_probability,
        rhythms.return_probability,
        rhythms.momentum,
        histories.recency_days > rhythms.usual_interval_days as is_overdue,
        rhythms.momentum < limits.lapsed_momentum as is_lapsed,
        coalesce(rhythms.earlier_momentum < limits.lapsed_momentum, false)
            as was_lapsed

    from histories
    cross join limits
    left join rhythms
        on
            histories.customer_key = rhythms.customer_key
            and histories.as_of_date = rhythms.as_of_date

),

staged as (

    select
        *,
        case
            when momentum is null then null
            when is_lapsed then 'lapsed'
            when is_overdue then 'slipping'
            when purchase_days = 1 then 'new'
            when was_lapsed then 'won back'
            else 'active'
        end as lifecycle_stage

    from measured

)

select * from staged
