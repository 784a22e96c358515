-- worse is what the bootstrap cannot put down to chance, in most of the measures that
-- champions are chosen by, on customers that neither was chosen on
with

model_evaluations as (

    select * from {{ ref('model_evaluations') }}

),

model_registry as (

    select * from {{ ref('model_registry') }}

),

-- the published horizon only
champions as (

    select
        evaluations.*,
        registry.model_id,
        registry.baseline

    from model_evaluations as evaluations
    inner join model_registry as registry
        on
            evaluations.source_system = registry.source_system
            and evaluations.task = registry.task
            and evaluations.population = registry.population
            and evaluations.horizon_days = registry.horizon_days
            and evaluations.algorithm = registry.algorithm
            and registry.is_in_use
    where evaluations.split = 'test' and evaluations.is_choice

),

compared as (

    select
        champions.model_id,
        champions.metric,
        champions.algorithm = champions.baseline as is_baseline,
        case
            when champions.is_higher_better then champions.high < baselines.low
            else champions.low > baselines.high
        end as is_worse

    from champions
    inner join model_evaluations as baselines
        on
            champions.source_system = baselines.source_system
            and champions.task = baselines.task
            and champions.population = baselines.population
            and champions.horizon_days = baselines.horizon_days
            and champions.baseline = baselines.algorithm
            and champions.metric = baselines.metric
            and baselines.split = 'test'

)

select
    model_id,
    count(*) as metrics,
    count(*) filter (where is_worse) as metrics_worse

from compared
where not is_baseline
group by model_id
having 2 * count(*) filter (where is_worse) > count(*)
