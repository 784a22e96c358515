with

models as (

    select * from {{ ref('int_prediction__models') }}

),

champions as (

    select * from {{ ref('int_prediction__champions') }}

),

model_registry as (

    select
        models.model_id,
        models.source_system,
        models.task,
        models.population,
        models.horizon_days,
        models.sequence,
        models.is_champion,
        models.algorithm,
        models.parameters,
        models.trained_as_of as trained_as_of_date,
        models.cutoffs,
        models.customers,
        models.fingerprint,
        models.features,
        models.training_bins,
        models.metrics,
        models.baseline,
        models.baseline_metrics,
        models.library_versions,
        models.trusted_types,
        models.model_hash,
        models.model,
        champions.model_id is not null as is_in_use

    from models
    left join champions on models.model_id = champions.model_id

)

select * from model_registry
