with

models as (

    select * from {{ ref('int_prediction__models') }}

),

splits as (

    select * from {{ ref('int_prediction__splits') }}

),

-- what is to be scored today
scored as (

    select
        source_system,
        population,
        horizon_days,
        as_of_date,
        case when task = 'segment' then 'segment:' else task end as task_prefix

    from splits
    where part = 'score'

),

ranked as (

    select
        models.model_id,
        models.source_system,
        models.task,
        models.population,
        models.horizon_days,
        models.algorithm,
        models.baseline,
        row_number() over (
            partition by models.source_system, models.task, models.population
            order by models.trained_as_of desc, models.sequence desc
        ) as age_rank

    from models
    inner join scored
        on
            models.source_system = scored.source_system
            and models.population = scored.population
            and models.horizon_days = scored.horizon_days
            and models.task like scored.task_prefix || '%'
            -- one that was trained later knows what is to come
            and models.trained_as_of <= scored.as_of_date
    where
        models.is_champion
        and models.task in (
            'next_purchases'
            {%- for target in var('prediction')['segment_targets'] -%}
            , 'segment:{{ target }}'
            {%- endfor -%}
        )

),

champions as (

    select
        model_id,
        source_system,
        task,
        population,
        horizon_days,
        algorithm,
        baseline

    from ranked
    where age_rank = 1

)

select * from champions
