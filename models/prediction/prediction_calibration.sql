with

deciles as (

    select * from {{ ref('int_prediction__backtest_deciles') }}

),

champions as (

    select * from {{ ref('int_prediction__champions') }}

),

summed as (

    select
        source_system,
        task,
        population,
        part,
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
        part,
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
        summed.part as split,
        summed.horizon_days,
        summed.algorithm,
        summed.is_baseline,
        in_use.algorithm is not null as is_champion,
        summed.outcome,
        summed.decile,
        summed.customers,
        {{ ratio('summed.predicted', 'summed.customers') }} as predicted,
        {{ ratio('summed.actual', 'summed.customers') }} as actual

    from summed
    left join champions as in_use
        on
            summed.source_system = in_use.source_system
            and summed.task = in_use.task
            and summed.population = in_use.population
            and summed.algorithm = in_use.algorithm

)

select * from prediction_calibration
