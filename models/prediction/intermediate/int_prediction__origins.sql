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

days as (

    {% for side in ['train', 'test'] -%}
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
seen as (

    select distinct
        first_purchases.customer_key,
        first_purchases.source_system,
        days.population,
        days.horizon_days,
        case
            when days.population = 'existing' then days.from_date
            else first_purchases.day_after_date
        end as origin_date

    from first_purchases
    inner join days
        on
            first_purchases.source_system = days.source_system
            and case
                when days.population = 'existing'
                    then first_purchases.first_purchase_date < days.from_date
                else
                    first_purchases.first_purchase_date
                    between days.from_date and days.to_date
            end

),

-- what has not ended yet is no outcome
origins as (

    select
        seen.customer_key,
        seen.source_system,
        seen.population,
        seen.horizon_days,
        seen.origin_date,
        source_systems.has_amounts,
        cast(
            {{ dbt.dateadd('day', 'seen.horizon_days', 'seen.origin_date') }} as date
        ) as end_date

    from seen
    inner join source_systems on seen.source_system = source_systems.source_system
    where
        {{ dbt.dateadd('day', 'seen.horizon_days', 'seen.origin_date') }}
        <= source_systems.as_of_date

)

select * from origins
