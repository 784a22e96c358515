{{ config(materialized='table') }}

with

source_systems as (

    select * from {{ ref('source_systems') }}
    where has_transactions

),

-- more months than any record has
numbers as (

    select cast(numbers.id as int) as months_ago
    from range(1200) as numbers (id)

),

-- a month is measured as of the day after its last day
measured as (

    select
        source_systems.source_system,
        source_systems.as_of_date as today_date,
        numbers.months_ago,
        cast({{ dbt.dateadd(
            'month',
            '-(numbers.months_ago)',
            dbt.date_trunc('month', days_before(1, 'source_systems.as_of_date'))
        ) }} as date) as month_date,
        cast({{ dbt.date_trunc('month', 'source_systems.first_event_at') }} as date)
            as first_month_date

    from source_systems
    cross join numbers

),

dated as (

    select
        source_system,
        month_date,
        today_date,
        cast({{ dbt.dateadd('month', 1, 'month_date') }} as date) as as_of_date,
        row_number() over (
            partition by
                source_system,
                cast({{ dbt.dateadd('month', 1, 'month_date') }} as date) <= today_date
            order by month_date desc
        ) as latest_number

    from measured
    where month_date >= first_month_date

),

-- only what has ended is history
flagged as (

    select
        source_system,
        month_date,
        as_of_date,
        as_of_date <= today_date as is_complete,
        as_of_date <= today_date and latest_number <= {{ var('history_months') }}
            as is_in_history

    from dated

)

select * from flagged
