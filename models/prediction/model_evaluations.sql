with

evaluations as (

    select * from {{ ref('int_prediction__evaluations') }}

),

champions as (

    select * from {{ ref('model_registry') }}
    where is_champion

),

model_evaluations as (

    select
        evaluations.source_system,
        evaluations.task,
        evaluations.population,
        evaluations.split,
        evaluations.horizon_days,
        evaluations.is_cross_validated,
        evaluations.algorithm,
        evaluations.is_baseline,
        evaluations.metric,
        evaluations.is_selection_metric,
        evaluations.is_higher_better,
        evaluations.customers,
        evaluations.value,
        evaluations.noise_floor,
        evaluations.low,
        evaluations.high,
        evaluations.difference_low,
        evaluations.difference_high,
        champions.algorithm is not null as is_champion

    from evaluations
    left join champions
        on
            evaluations.source_system = champions.source_system
            and evaluations.task = champions.task
            and evaluations.population = champions.population
            and evaluations.algorithm = champions.algorithm

)

select * from model_evaluations
