{# `keep` appends nothing to the cut points that stand, but those of a new source system #}
{%- set keeps_ruler = var('rfm_ruler') == 'keep' -%}
{{ config(
    materialized='incremental' if keeps_ruler else 'table',
    incremental_strategy='append',
    on_schema_change='fail',
) }}

with

measures as (

    select * from {{ ref('int_rfm__measures') }}

),

-- who never bought has no place on the ruler
buyers as (

    select
        source_system,
        cast(recency_days as decimal(18, 2)) as recency_days,
        cast(frequency as decimal(18, 2)) as frequency,
        monetary

    from measures
    where
        frequency > 0
        {%- if is_incremental() %}
        and source_system not in (select kept.source_system from {{ this }} as kept)
        {%- endif %}

),

-- the bounds are values that customers have, so equal values stay together
cut as (

    {% for measure in ['recency_days', 'frequency', 'monetary'] -%}
    select
        source_system,
        '{{ measure }}' as measure,
        {%- for quintile in range(1, 5) %}
        percentile_disc(0.{{ quintile * 2 }}) within group (
            order by {{ measure }}
        ) as cut_{{ quintile }}{{ ',' if not loop.last }}
        {%- endfor %}

    from buyers
    where {{ measure }} is not null
    group by source_system
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- from the lowest values (1) to the highest (5); a bound of null is no bound
bands as (

    {% for band in range(1, 6) -%}
    select
        source_system,
        measure,
        {{ band }} as band,
        {{ 'cut_' ~ (band - 1) if band > 1 else 'cast(null as decimal(18, 2))' }}
            as above,
        {{ 'cut_' ~ band if band < 5 else 'cast(null as decimal(18, 2))' }}
            as up_to

    from cut
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

rfm_cut_points as (

    select
        source_system,
        measure,
        -- the fewer days since the last purchase, the better
        cast(
            case when measure = 'recency_days' then 6 - band else band end as int
        ) as score,
        cast(above as decimal(18, 2)) as above,
        cast(up_to as decimal(18, 2)) as up_to

    from bands

)

select * from rfm_cut_points
