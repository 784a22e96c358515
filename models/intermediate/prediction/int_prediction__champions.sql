with

models as (

    select * from {{ ref('int_prediction__models') }}

),

ranked as (

    select
        model_id,
        source_system,
        task,
        population,
        horizon_days,
        algorithm,
        baseline,
        trained_as_of,
        sequence,
        row_number() over (
            partition by source_system, task, population, horizon_days
            order by sequence desc
        ) as age_rank

    from models
    where is_champion

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
