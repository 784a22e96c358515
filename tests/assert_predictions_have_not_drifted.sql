{{ config(severity='warn') }}
-- what is expected of today's customers is spread as it was of those learned from
with

prediction_drift as (

    select * from {{ ref('prediction_drift') }}

)

select
    model_id,
    feature,
    psi

from prediction_drift
where is_prediction and change = 'significant'
