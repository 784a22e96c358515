with

deciles as (

    select * from {{ ref('int_prediction__backtest_deciles') }}

),

champions as (

    select * from {{ ref('model_registry') }}
    where is_champion

),

summed as (

    select
        source_system,
        task,
        population,
        split,
        horizon_days,
        algorithm,
        is_baseline,
        outcome,
        decile,
        count(*) as customers,
        sum(predicted) as predicted,
        sum(actual) as actual

    from deciles
    group by
        source_system,
        task,
        population,
        split,
        horizon_days,
        algorithm,
        is_baseline,
        outcome,
        decile

),

prediction_calibration as (

    select
        summed.source_system,
        summed.task,
        summed.population,
        summed.split,
        summed.horizon_days,
        summed.algorithm,
        summed.is_baseline,
        champions.algorithm is not null as is_champion,
        summed.outcome,
        summed.decile,
        summed.customers,
        {{ ratio('summed.predicted', 'summed.customers') }} as predicted,
        {{ ratio('summed.actual', 'summed.customers') }} as actual

    from summed
    left join champions
        on
            summed.source_system = champions.source_system
            and summed.task = champions.task
            and summed.population = champions.population
            and summed.algorithm = champions.algorithm

)

select * from prediction_calibration
