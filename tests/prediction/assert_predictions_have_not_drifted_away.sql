-- predictions this far from training mean other customers, or a broken feature
with

prediction_drift as (

    select * from {{ ref('prediction_drift') }}

),

limited as (

    select
        *,
        case
            when has_season then {{ threshold('max_seasonal_psi') }}
            else {{ threshold('max_psi') }}
        end as max_psi,
        greatest(mean_ratio, 1 / mean_ratio) as mean_change

    from prediction_drift
    where is_prediction

)

select
    model_id,
    feature,
    psi,
    mean_ratio,
    model_id || ': ' || feature || ' has drifted far from training (PSI '
    || cast(cast(psi as decimal(9, 2)) as string)
    || coalesce(
        ', ' || cast(cast(mean_ratio as decimal(9, 2)) as string) || ' times its mean',
        ''
    )
    || '); see prediction_drift for the features that broke' as message

from limited
where
    (psi > max_psi and psi > psi_by_chance)
    -- the few new customers of a week may spend a third of what those of a year do
    or (
        population <> 'new'
        and mean_change > {{ threshold('max_mean_ratio') }}
        and mean_change > mean_ratio_by_chance
    )
