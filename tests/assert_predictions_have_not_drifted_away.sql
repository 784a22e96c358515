-- so far from those learned from, the customers are others, or their features broken
with

prediction_drift as (

    select * from {{ ref('prediction_drift') }}

)

select
    model_id,
    feature,
    psi

from prediction_drift
where
    is_prediction
    and psi > {{ var('prediction')['greatest_drift'] }}
    and psi > psi_by_chance
