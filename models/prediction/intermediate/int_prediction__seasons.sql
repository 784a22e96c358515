{{ config(materialized='table') }}

with

splits as (

    select * from {{ ref('int_features__splits') }}
    where task = 'next_purchases' and population = 'existing'

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

first_transactions as (

    select * from {{ ref('int_features__first_transactions') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

dates as (

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

-- the year before a date is known on the date; a longer horizon would reach beyond it
years_before as (

    select
        source_system,
        horizon_days,
        as_of_date,
        {{ days_before(365, 'as_of_date') }} as year_from_date,
        {{ days_after('horizon_days - 365', 'as_of_date') }} as horizon_end_date

    from dates
    where horizon_days <= 365

),

-- where the year begins with the record, hardly anyone was a customer before it
known_years as (

    select years_before.*

    from years_before
    inner join source_systems
        on years_before.source_system = source_systems.source_system
    where
        {{ dbt.datediff(
            'source_systems.first_purchase_date', 'years_before.year_from_date', 'day'
        ) }} >= {{ threshold('season_min_history_days') }}

),

-- customers who come within the year would add the growth of the shop to its season
sold_to_customers as (

    select
        known_years.source_system,
        known_years.horizon_days,
        known_years.as_of_date,
        transactions.amount,
        transactions.completed_at is not null as is_purchase,
        {{ happened_at('transactions.') }}
        < known_years.horizon_end_date as is_in_horizon

    from known_years
    inner join first_transactions
        on
            known_years.source_system = first_transactions.source_system
            and known_years.year_from_date > first_transactions.completed_at
    inner join transactions
        on
            first_transactions.customer_key = transactions.customer_key
            and known_years.year_from_date
            <= {{ happened_at('transactions.') }}
            and known_years.as_of_date
            > {{ happened_at('transactions.') }}

),

summed as (

    select
        source_system,
        as_of_date,
        horizon_days,
        count(*) filter (where is_purchase and is_in_horizon) as purchases,
        count(*) filter (where is_purchase) as purchases_of_year,
        {{ total('case when is_in_horizon then amount end') }} as spend,
        {{ total('amount') }} as spend_of_year,
        {{ total('case when is_in_horizon then amount * amount end', 4) }}
            as squared_spend,
        {{ total('amount * amount', 4) }} as squared_spend_of_year

    from sold_to_customers
    group by
        source_system,
        as_of_date,
        horizon_days

)

select * from summed
