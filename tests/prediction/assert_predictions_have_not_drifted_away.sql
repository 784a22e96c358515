-- predictions this far from training mean other customers, or a broken feature
with

prediction_drift as (

    select * from {{ ref('prediction_drift') }}

)

select
    model_id,
    feature,
    psi,
    model_id || ': ' || feature || ' has drifted far from training (PSI '
    || cast(cast(psi as decimal(9, 2)) as string)
    || '); see prediction_drift for the features that broke' as message

from prediction_drift
where
    is_prediction
    and psi > {{ threshold('max_psi') }}
    and psi > psi_by_chance
