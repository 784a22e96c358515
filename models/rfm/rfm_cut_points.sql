{# with `keep`, only a source system that has no cut points yet gets some -#}
{%- if var('rfm_ruler') not in ('fit', 'keep') -%}
    {{ exceptions.raise_compiler_error(
        'The var rfm_ruler is ' ~ var('rfm_ruler') ~ ': write fit or keep.'
    ) }}
{%- endif -%}
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

-- the ruler that stands, if it is to be kept
kept_cut_points as (

    select * from {{ this if is_incremental() else 'measures' }}
    where {{ is_incremental() | lower }}

),

-- who never bought has no place on the ruler, which is cut today
buyers as (

    select * from measures
    where
        is_present
        and frequency > 0
        and source_system not in (
            select kept_cut_points.source_system from kept_cut_points
        )

),

measures_unpivoted as (

    {% for measure in ['recency_days', 'frequency', 'monetary'] -%}
    select
        source_system,
        '{{ measure }}' as measure,
        cast({{ measure }} as decimal(18, 2)) as measured

    from buyers
    where {{ measure }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- the cuts are values that customers have, so that equal values stay together
cut_into_fifths as (

    select
        source_system,
        measure,
        percentile_disc(0.2) within group (order by measured) as cut_1,
        percentile_disc(0.4) within group (order by measured) as cut_2,
        percentile_disc(0.6) within group (order by measured) as cut_3,
        percentile_disc(0.8) within group (order by measured) as cut_4

    from measures_unpivoted
    group by source_system, measure

),

-- from the lowest values (1) to the highest (5); a bound of null is no bound
bands as (

    {% for band in range(1, 6) -%}
    select
        source_system,
        measure,
        {{ band }} as band,
        {{ 'null' if band == 1 else 'cut_' ~ (band - 1) }} as above,
        {{ 'null' if band == 5 else 'cut_' ~ band }} as up_to

    from cut_into_fifths
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- the fewer days since the last purchase, the better
scored as (

    select
        source_system,
        measure,
        cast(
            case when measure = 'recency_days' then 6 - band else band end as int
        ) as score,
        cast(above as decimal(18, 2)) as above,
        cast(up_to as decimal(18, 2)) as up_to

    from bands

)

select * from scored
