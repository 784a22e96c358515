-- worse is what customers drawn again do not put down to chance, in most of the
-- measures that champions are chosen by, on the test at the published horizon
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
            and evaluations.is_choice
    where registry.is_in_use

)

-- a champion without a test is no better than one that failed it
select
    model_id,
    count(is_worse) as measures,
    count(*) filter (where is_worse) as measures_worse

from compared
group by model_id
having count(is_worse) = 0 or 2 * count(*) filter (where is_worse) > count(is_worse)
