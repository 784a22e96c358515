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

purchases_summed_to_customers as (

    select
        customer_key,
        as_of_date,
        count(*) as purchases,
        count(*) filter (where {{ day_of_week('completed_at') }} >= 6) as at_weekends,
        count(*) filter (where hour(completed_at) < 12) as in_mornings,
        count(*) filter (where hour(completed_at) >= 18) as in_evenings,
        count(distinct date_trunc('month', completed_at)) as active_months

    from transactions
    where is_completed
    group by customer_key, as_of_date

),

measured as (

    select
        as_of_dates.customer_key,
        as_of_dates.as_of_date,
        coalesce(summed.active_months, 0) as active_months,
        {{ ratio('summed.at_weekends', 'summed.purchases') }} as weekend_share,
        case
            when source_systems.has_times
                then {{ ratio('summed.in_mornings', 'summed.purchases') }}
        end as morning_share,
        case
            when source_systems.has_times
                then {{ ratio('summed.in_evenings', 'summed.purchases') }}
        end as evening_share

    from as_of_dates
    inner join source_systems
        on as_of_dates.source_system = source_systems.source_system
    left join purchases_summed_to_customers as summed
        on
            as_of_dates.customer_key = summed.customer_key
            and as_of_dates.as_of_date = summed.as_of_date
    where source_systems.has_transactions

)

select * from measured
