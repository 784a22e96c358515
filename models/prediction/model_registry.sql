with

models as (

    select * from {{ ref('int_prediction__models') }}

),

splits as (

    select * from {{ ref('int_features__splits') }}
    where split = 'score'

),

-- the champion is the last promoted model of what is scored today; a model that was
-- trained as of a later date knows the future
usable as (

    select
        models.model_id,
        row_number() over (
            partition by models.source_system, models.task, models.population
            order by models.trained_as_of desc, models.sequence desc
        ) as age_rank

    from models
    inner join splits
        on
            models.source_system = splits.source_system
            and models.population = splits.population
            and models.horizon_days = splits.horizon_days
            and split_part(models.task, ':', 1) = splits.task
            and models.trained_as_of <= splits.as_of_date
    where
        models.is_promoted
        and models.task in (
            'next_purchases', 'interests'
            {%- for target in var('prediction_segment_targets') -%}
            , 'segment:{{ target }}'
            {%- endfor -%}
        )

),

model_registry as (

    select
        models.model_id,
        models.source_system,
        models.task,
        models.population,
        models.horizon_days,
        models.sequence,
        models.is_promoted,
        models.algorithm,
        models.parameters,
        models.trained_as_of as trained_as_of_date,
        models.training_dates,
        models.customers,
        models.fingerprint,
        models.features,
        models.metrics,
        models.baseline,
        models.baseline_metrics,
        models.library_versions,
        models.model_hash,
        usable.model_id is not null as is_champion

    from models
    left join usable
        on
            models.model_id = usable.model_id
            and usable.age_rank = 1

)

select * from model_registry
