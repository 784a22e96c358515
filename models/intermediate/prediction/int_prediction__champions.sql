with

models as (

    select * from {{ ref('int_prediction__models') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

ranked as (

    select
        models.model_id,
        models.source_system,
        models.task,
        models.population,
        models.horizon_days,
        models.algorithm,
        models.baseline,
        models.trained_as_of,
        models.sequence,
        row_number() over (
            partition by
                models.source_system,
                models.task,
                models.population,
                models.horizon_days
            order by models.sequence desc
        ) as age_rank

    from models
    inner join source_systems
        on models.source_system = source_systems.source_system
    where
        models.is_champion
        -- one that was trained later knows what is to come
        and models.trained_as_of <= source_systems.as_of_date

),

-- a longer record, or another var, brings another horizon: who was trained last is in
-- use
champions_of_horizons as (

    select
        *,
        row_number() over (
            partition by source_system, task, population
            order by trained_as_of desc, horizon_days desc, sequence desc
        ) as horizon_rank

    from ranked
    where age_rank = 1

),

champions as (

    select
        model_id,
        source_system,
        task,
        population,
        horizon_days,
        algorithm,
        baseline

    from champions_of_horizons
    where horizon_rank = 1

)

select * from champions
