{{ config(severity='warn') }}

-- predictions are distributed today as they were for the customers that the model
-- learned from
with

prediction_drift as (

    select * from {{ ref('prediction_drift') }}

)

select
    model_id,
    feature,
    psi,
    model_id || ': ' || feature
    || ' is distributed differently today than in training (PSI '
    || cast(cast(psi as decimal(9, 2)) as string)
    || '), as a season does; see prediction_drift, or train again' as message

from prediction_drift
where is_prediction and change = 'significant'
