with

evaluations as (

    select * from {{ ref('int_prediction__evaluations') }}

),

losses as (

    select *
    from evaluations
    where split = 'selection' and metric = 'relative_loss'

),

-- of the candidates that differ from the best by chance only, the simplest; values that
-- differ by a rounding error are equal
champions as (

    select
        *,
        row_number() over (
            partition by source_system, task, population
            order by complexity asc, round(value, 9) asc, algorithm asc
        ) as place

    from losses
    where is_as_good

),

baselines as (

    select
        *,
        row_number() over (
            partition by source_system, task, population
            order by round(value, 9) asc, algorithm asc
        ) as place

    from losses
    where is_baseline

),

choices as (

    select
        champions.source_system,
        champions.task,
        champions.population,
        champions.algorithm,
        champions.value as relative_loss,
        baselines.algorithm as baseline

    from champions
    inner join baselines
        on
            champions.source_system = baselines.source_system
            and champions.task = baselines.task
            and champions.population = baselines.population
            and baselines.place = 1
    where champions.place = 1

)

select * from choices
