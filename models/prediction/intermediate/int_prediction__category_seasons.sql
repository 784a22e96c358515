{{ config(materialized='table') }}

with

splits as (

    select * from {{ ref('int_features__splits') }}
    where task = 'interests' and population = 'existing'

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

category_sales as (

    select * from {{ ref('int_prediction__category_sales') }}

),

predicted_dates as (

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

-- the predicted days one year before are over on the date itself
windows as (

    select
        predicted_dates.source_system,
        predicted_dates.horizon_days,
        predicted_dates.as_of_date,
        {{ days_before(365, 'predicted_dates.as_of_date') }} as from_date,
        {{ days_after(
            'predicted_dates.horizon_days - 365', 'predicted_dates.as_of_date'
        ) }} as end_date

    from predicted_dates
    inner join source_systems
        on predicted_dates.source_system = source_systems.source_system
    where
        predicted_dates.horizon_days <= 365
        and {{ days_before(365, 'predicted_dates.as_of_date') }}
        >= source_systems.first_purchase_date

),

category_seasons as (

    select
        windows.source_system,
        windows.as_of_date,
        windows.horizon_days,
        category_sales.category_id,
        count(*) as purchases,
        coalesce({{ total('category_sales.spend') }}, 0) as spend

    from windows
    inner join category_sales
        on
            windows.source_system = category_sales.source_system
            and windows.from_date <= category_sales.completed_at
            and windows.end_date > category_sales.completed_at
    group by
        windows.source_system,
        windows.as_of_date,
        windows.horizon_days,
        category_sales.category_id

)

select * from category_seasons
