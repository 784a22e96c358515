with

evaluations as (

    select * from {{ ref('int_prediction__evaluations') }}

),

champions as (

    select * from {{ ref('int_prediction__champions') }}

),

model_evaluations as (

    select
        evaluations.source_system,
        evaluations.task,
        evaluations.population,
        evaluations.part as split,
        evaluations.horizon_days,
        evaluations.is_cross_validated,
        evaluations.algorithm,
        evaluations.is_baseline,
        evaluations.metric,
        evaluations.is_choice,
        evaluations.is_higher_better,
        evaluations.customers,
        evaluations.value,
        evaluations.low,
        evaluations.high,
        evaluations.difference_low,
        evaluations.difference_high,
        in_use.algorithm is not null as is_champion

    from evaluations
    left join champions as in_use
        on
            evaluations.source_system = in_use.source_system
            and evaluations.task = in_use.task
            and evaluations.population = in_use.population
            and evaluations.algorithm = in_use.algorithm

)

select * from model_evaluations
