-- of ten customers eight lie in the interval; off by chance is not off
{%- set limits = var('prediction')['coverage'] %}
with

model_evaluations as (

    select * from {{ ref('model_evaluations') }}

),

model_registry as (

    select * from {{ ref('model_registry') }}

)

select
    registry.model_id,
    evaluations.value,
    evaluations.low,
    evaluations.high

from model_evaluations as evaluations
inner join model_registry as registry
    on
        evaluations.source_system = registry.source_system
        and evaluations.task = registry.task
        and evaluations.population = registry.population
        and evaluations.horizon_days = registry.horizon_days
        and evaluations.algorithm = registry.algorithm
        and registry.is_in_use
where
    evaluations.split = 'test'
    and evaluations.metric = 'interval_coverage'
    and (evaluations.high < {{ limits[0] }} or evaluations.low > {{ limits[1] }})
