{{ config(materialized='table') }}

with

splits as (

    select * from {{ ref('int_prediction__splits') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

first_purchases as (

    select * from {{ ref('int_observations__first_purchases') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

{% set sides = ['train', 'test'] -%}
horizons as (

    {% for side in sides -%}
    select
        source_system,
        population,
        horizon_days,
        {{ side }}_from_date as from_date,
        {{ side }}_to_date as to_date

    from splits
    where task = 'next_purchases' and {{ side }}_from_date is not null
    {{ 'union distinct' if not loop.last }}
    {% endfor %}

),

-- an existing customer is seen at a cutoff, a new one the day after buying first
origins as (

    select distinct
        first_purchases.customer_key,
        first_purchases.source_system,
        horizons.population,
        horizons.horizon_days,
        case
            when horizons.population = 'existing' then horizons.from_date
            else first_purchases.day_after_date
        end as origin_date

    from first_purchases
    inner join horizons
        on
            first_purchases.source_system = horizons.source_system
            and (
                (
                    horizons.population = 'existing'
                    and first_purchases.first_purchase_date < horizons.from_date
                )
                or (
                    horizons.population = 'new'
                    and first_purchases.first_purchase_date
                    between horizons.from_date and horizons.to_date
                )
            )

),

-- what has not ended yet is no outcome
ended as (

    select
        origins.*,
        source_systems.has_amounts,
        cast(
            {{ dbt.dateadd('day', 'origins.horizon_days', 'origins.origin_date') }}
            as date
        ) as end_date

    from origins
    inner join source_systems
        on origins.source_system = source_systems.source_system
    where
        {{ dbt.dateadd('day', 'origins.horizon_days', 'origins.origin_date') }}
        <= source_systems.as_of_date

),

-- a return counts on its own day, as money and not as a purchase
happened as (

    select
        customer_key,
        amount,
        completed_at is not null as is_purchase,
        coalesce(completed_at, transacted_at) as happened_at

    from transactions
    where customer_key is not null

),

outcomes as (

    select
        ended.customer_key,
        ended.source_system,
        ended.population,
        ended.origin_date,
        ended.horizon_days,
        coalesce(bool_or(happened.is_purchase), false) as has_returned,
        count(*) filter (where happened.is_purchase) as purchases,
        case
            when ended.has_amounts
                then greatest(coalesce(sum(happened.amount), 0), 0)
        end as spend

    from ended
    left join happened
        on
            ended.customer_key = happened.customer_key
            and ended.origin_date <= happened.happened_at
            and ended.end_date > happened.happened_at
    group by
        ended.customer_key,
        ended.source_system,
        ended.population,
        ended.origin_date,
        ended.horizon_days,
        ended.has_amounts

)

select * from outcomes
