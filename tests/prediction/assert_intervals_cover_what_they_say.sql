-- the 80 % intervals of a champion hold about 80 % of the customers of its test; a
-- difference that chance explains does not count. Customers who hardly return have the
-- interval from 0 to 0, which holds more of them, and no interval holds fewer: too wide
-- is what is above 0
with

model_evaluations as (

    select * from {{ ref('model_evaluations') }}

),

model_registry as (

    select * from {{ ref('model_registry') }}

)

select
    registry.model_id,
    evaluations.metric,
    evaluations.value,
    evaluations.low,
    evaluations.high,
    registry.model_id || ': its 80 % intervals hold '
    || cast(cast(100 * evaluations.value as decimal(9, 1)) as string)
    || ' % of the customers of its test; see prediction_calibration' as message

from model_evaluations as evaluations
inner join model_registry as registry
    on
        evaluations.source_system = registry.source_system
        and evaluations.task = registry.task
        and evaluations.population = registry.population
        and evaluations.horizon_days = registry.horizon_days
        and evaluations.algorithm = registry.algorithm
        and registry.is_champion
where
    evaluations.split = 'test'
    and evaluations.metric in ('interval_coverage', 'interval_coverage_above_zero')
    and (
        evaluations.high < {{ threshold('min_coverage') }}
        or (
            evaluations.low > {{ threshold('max_coverage') }}
            and evaluations.metric = 'interval_coverage_above_zero'
        )
    )
