with

segment_backtests as (

    select * from {{ ref('int_prediction__segment_backtests') }}

),

champions as (

    select * from {{ ref('model_registry') }}
    where is_champion

),

counted as (

    select
        source_system,
        task,
        segmentation,
        split,
        horizon_days,
        algorithm,
        is_baseline,
        segment,
        predicted_segment,
        count(*) as customers,
        count(*) filter (where has_returned) as customers_returned

    from segment_backtests
    where seed = 0
    group by
        source_system,
        task,
        segmentation,
        split,
        horizon_days,
        algorithm,
        is_baseline,
        segment,
        predicted_segment

),

segment_prediction_confusions as (

    select
        counted.source_system,
        counted.task,
        counted.segmentation,
        counted.split,
        counted.horizon_days,
        counted.algorithm,
        counted.is_baseline,
        counted.segment,
        counted.predicted_segment,
        counted.customers,
        counted.customers_returned,
        champions.model_id is not null as is_champion

    from counted
    left join champions
        on
            counted.source_system = champions.source_system
            and counted.task = champions.task
            and counted.algorithm = champions.algorithm

)

select * from segment_prediction_confusions
