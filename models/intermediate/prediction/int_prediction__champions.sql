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
        row_number() over (
            partition by source_system, task, population, horizon_days
            order by sequence desc
        ) as age_rank

    from models
    where is_champion

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

    from ranked
    where age_rank = 1

)

select * from champions
