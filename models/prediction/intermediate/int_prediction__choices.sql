with

evaluations as (

    select * from {{ ref('int_prediction__evaluations') }}

),

-- for next purchases the rank, the calibration and the error: of the spend, or of the
-- purchases in a source system without amounts
measures as (

    select *
    from evaluations
    where split = 'selection' and is_selection_metric and value is not null

),

-- a model must beat the best baseline by more than chance in at least a quarter of the
-- measures, for one of many is better by chance; and in more than it is worse in
compared as (

    select
        *,
        case
            when is_higher_better then difference_low > 0
            else difference_high < 0
        end as is_better,
        case
            when is_higher_better then difference_high < 0
            else difference_low > 0
        end as is_worse

    from measures

),

eligible as (

    select
        source_system,
        task,
        population,
        algorithm

    from compared
    group by source_system, task, population, algorithm
    having
        bool_or(is_baseline)
        or count(is_better) = 0
        or (
            4 * count(*) filter (where is_better) >= count(is_better)
            and count(*) filter (where is_better) > count(*) filter (where is_worse)
        )

),

eligible_measures as (

    select measures.*
    from measures
    inner join eligible
        on
            measures.source_system = eligible.source_system
            and measures.task = eligible.task
            and measures.population = eligible.population
            and measures.algorithm = eligible.algorithm

),

-- values that differ by a rounding error share a rank
ranked as (

    select
        source_system,
        task,
        population,
        algorithm,
        is_baseline,
        rank() over (
            partition by source_system, task, population, horizon_days, metric
            order by
                round(case when is_higher_better then -value else value end, 9) asc
        ) as place

    from eligible_measures

),

averaged as (

    select
        source_system,
        task,
        population,
        algorithm,
        is_baseline,
        count(*) as measures,
        {{ ratio('sum(place)', 'count(*)') }} as mean_place

    from ranked
    group by source_system, task, population, algorithm, is_baseline

),

-- ties go to the baseline
placed as (

    select
        *,
        row_number() over (
            partition by source_system, task, population
            order by
                measures desc, mean_place asc, is_baseline desc, algorithm asc
        ) as place,
        row_number() over (
            partition by source_system, task, population, is_baseline
            order by measures desc, mean_place asc, algorithm asc
        ) as place_of_its_kind

    from averaged

),

choices as (

    select
        champion.source_system,
        champion.task,
        champion.population,
        champion.algorithm,
        champion.mean_place,
        baseline.algorithm as baseline

    from placed as champion
    inner join placed as baseline
        on
            champion.source_system = baseline.source_system
            and champion.task = baseline.task
            and champion.population = baseline.population
            and baseline.is_baseline
            and baseline.place_of_its_kind = 1
    where champion.place = 1

)

select * from choices
