{{ config(materialized='table') }}

with

splits as (

    select * from {{ ref('int_features__splits') }}
    where task = 'next_purchases' and population = 'existing'

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

training_dates as (

    select
        source_system,
        horizon_days,
        train_from_date as as_of_date

    from splits
    where train_from_date is not null

    union distinct

    select
        source_system,
        horizon_days,
        test_from_date as as_of_date

    from splits
    where test_from_date is not null

),

-- models learn from the days after a date once these days are over; the same days a
-- year before are known on the date itself
windows as (

    select
        source_system,
        horizon_days,
        as_of_date,
        0 as days_before,
        as_of_date as from_date,
        {{ days_after('horizon_days', 'as_of_date') }} as end_date

    from training_dates

    union all

    -- a year before, a longer horizon would reach beyond the date
    select
        source_system,
        horizon_days,
        as_of_date,
        365 as days_before,
        {{ days_before(365, 'as_of_date') }} as from_date,
        {{ days_after('horizon_days - 365', 'as_of_date') }} as end_date

    from training_dates
    where horizon_days <= 365

),

summed as (

    select
        windows.source_system,
        windows.horizon_days,
        windows.as_of_date,
        windows.days_before,
        count(transactions.completed_at) as purchases,
        sum(transactions.amount) as spend

    from windows
    inner join source_systems
        on windows.source_system = source_systems.source_system
    left join transactions
        on
            windows.source_system = transactions.source_system
            and windows.from_date
            <= {{ happened_at('transactions.') }}
            and windows.end_date
            > {{ happened_at('transactions.') }}
    where
        windows.from_date >= source_systems.first_purchase_date
        and windows.end_date <= source_systems.as_of_date
    group by
        windows.source_system,
        windows.horizon_days,
        windows.as_of_date,
        windows.days_before

)

select * from summed
