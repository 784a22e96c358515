-- a champion is worse than its baseline if it is in most of the measures that champions
-- are chosen by, on the test at the published horizon, and chance does not explain it;
-- a champion that is a baseline is not worse
with

model_evaluations as (

    select * from {{ ref('model_evaluations') }}

),

model_registry as (

    select * from {{ ref('model_registry') }}

),

compared as (

    select
        registry.model_id,
        case
            when evaluations.is_baseline then false
            when evaluations.is_higher_better then evaluations.difference_high < 0
            else evaluations.difference_low > 0
        end as is_worse

    from model_registry as registry
    left join model_evaluations as evaluations
        on
            registry.source_system = evaluations.source_system
            and registry.task = evaluations.task
            and registry.population = evaluations.population
            and registry.horizon_days = evaluations.horizon_days
            and registry.algorithm = evaluations.algorithm
            and evaluations.split = 'test'
            and evaluations.is_selection_metric
    where registry.is_champion

)

-- a champion without a test fails too
select
    model_id,
    count(is_worse) as measures,
    count(*) filter (where is_worse) as measures_worse,
    model_id || ': is worse than its baseline in '
    || cast(count(*) filter (where is_worse) as string) || ' of '
    || cast(count(is_worse) as string)
    || ' measures; see model_evaluations, and prediction_drift for changed features'
        as message

from compared
group by model_id
having count(is_worse) = 0 or 2 * count(*) filter (where is_worse) > count(is_worse)
