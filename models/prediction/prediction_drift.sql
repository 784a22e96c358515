with

drift as (

    select * from {{ ref('int_prediction__drift') }}

),

prediction_drift as (

    select
        source_system,
        task,
        population,
        model_id,
        feature,
        is_prediction,
        has_season,
        psi,
        psi_by_chance,
        mean_ratio,
        mean_ratio_by_chance,
        change,
        training_customers,
        customers

    from drift

)

select * from prediction_drift
