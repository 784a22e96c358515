with

splits as (

    select * from {{ ref('int_prediction__splits') }}

),

cutoffs as (

    {% for side in ['train', 'test'] -%}
    select
        source_system,
        horizon_days,
        {{ side }}_from_date as cutoff_date

    from splits
    where population = 'existing' and {{ side }}_from_date is not null
    {{ 'union distinct' if not loop.last }}
    {% endfor %}

)

select * from cutoffs
