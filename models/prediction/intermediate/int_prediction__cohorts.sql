with

splits as (

    select * from {{ ref('int_features__splits') }}
    where task in ('next_purchases', 'interests')

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}
    where is_training_customer

),

-- a cross-validated test of new customers covers the whole record, and so those whom
-- the champion is chosen on: then each split has its own half of them
halved as (

    select
        tested.source_system,
        tested.task,
        tested.population,
        max(selected.test_to_date) as last_date

    from splits as tested
    inner join splits as selected
        on
            tested.source_system = selected.source_system
            and tested.task = selected.task
            and tested.population = selected.population
            and selected.split = 'selection'
    where
        tested.split = 'test'
        and tested.population = 'new'
        and tested.is_cross_validated
    group by tested.source_system, tested.task, tested.population

),

ranges as (

    select
        source_system,
        task,
        population,
        horizon_days,
        train_from_date as from_date,
        train_to_date as to_date

    from splits
    where train_from_date is not null

    union distinct

    select
        source_system,
        task,
        population,
        horizon_days,
        test_from_date as from_date,
        test_to_date as to_date

    from splits
    where test_from_date is not null

),

-- existing customers are measured on training dates, new customers on the day after the
-- first purchase
measured as (

    select distinct
        as_of_dates.customer_key,
        as_of_dates.source_system,
        ranges.task,
        ranges.population,
        ranges.horizon_days,
        case
            when ranges.population = 'existing' then as_of_dates.as_of_date
            else {{ days_after(1, 'as_of_dates.first_purchase_date') }}
        end as as_of_date

    from as_of_dates
    inner join ranges
        on
            as_of_dates.source_system = ranges.source_system
            and case
                when ranges.population = 'existing'
                    then
                        as_of_dates.is_training_date
                        and as_of_dates.as_of_date = ranges.from_date
                else
                    as_of_dates.is_today
                    and as_of_dates.first_purchase_date
                    between ranges.from_date and ranges.to_date
            end

),

-- horizons that are still open are excluded
cohorts as (

    select
        measured.customer_key,
        measured.source_system,
        measured.task,
        measured.population,
        measured.horizon_days,
        measured.as_of_date,
        source_systems.has_amounts,
        -- the sample to learn from has the lowest hashes of the key alone
        case
            when halved.source_system is null then null
            when {{ hash_fraction("'selection:' || measured.customer_key") }} < 0.5
                then 'selection'
            else 'test'
        end as backtest_split,
        {{ days_after('measured.horizon_days', 'measured.as_of_date') }} as end_date

    from measured
    inner join source_systems
        on measured.source_system = source_systems.source_system
    left join halved
        on
            measured.source_system = halved.source_system
            and measured.task = halved.task
            and measured.population = halved.population
            and measured.as_of_date <= {{ days_after(1, 'halved.last_date') }}
    where
        {{ days_after('measured.horizon_days', 'measured.as_of_date') }}
        <= source_systems.as_of_date

)

select * from cohorts
