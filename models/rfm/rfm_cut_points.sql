{# when frozen, only a source system without cut points gets new ones -#}
{%- if var('rfm_cut_points') not in ('refit', 'frozen') -%}
    {{ exceptions.raise_compiler_error(
        'The var rfm_cut_points is ' ~ var('rfm_cut_points') ~ ': write refit or frozen.'
    ) }}
{%- endif -%}
{%- set is_frozen = var('rfm_cut_points') == 'frozen' -%}
{{ config(
    materialized='incremental' if is_frozen else 'table',
    incremental_strategy='append',
    on_schema_change='fail',
) }}

with

customer_days as (

    select * from {{ ref('int_features__customer_days') }}

),

frozen_cut_points as (

    select source_system from {{ this if is_incremental() else 'customer_days' }}
    where {{ is_incremental() | lower }}

),

-- the cut points are those of today's customers with a purchase
buyers as (

    select * from customer_days
    where
        is_today
        and frequency > 0
        and source_system not in (
            select frozen_cut_points.source_system from frozen_cut_points
        )

),

measures_unpivoted as (

    select
        source_system,
        'recency_days' as measure,
        cast(recency_days as decimal(18, 2)) as measured

    from buyers

    union all

    select
        source_system,
        'frequency' as measure,
        cast(frequency as decimal(18, 2)) as measured

    from buyers

    union all

    select
        source_system,
        'monetary' as measure,
        cast(monetary as decimal(18, 2)) as measured

    from buyers
    where monetary is not null

),

-- each cut point is a value that customers have, so equal values stay together
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

fifths as (

    {% for fifth in range(1, 6) -%}
    select {{ fifth }} as fifth
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- from the lowest values to the highest; fewer days since the last purchase are better
scored as (

    select
        cut_into_fifths.source_system,
        cut_into_fifths.measure,
        cast(
            case
                when cut_into_fifths.measure = 'recency_days' then 6 - fifths.fifth
                else fifths.fifth
            end as int
        ) as score,
        cast(
            case fifths.fifth
                when 2 then cut_into_fifths.cut_1
                when 3 then cut_into_fifths.cut_2
                when 4 then cut_into_fifths.cut_3
                when 5 then cut_into_fifths.cut_4
            end as decimal(18, 2)
        ) as above,
        cast(
            case fifths.fifth
                when 1 then cut_into_fifths.cut_1
                when 2 then cut_into_fifths.cut_2
                when 3 then cut_into_fifths.cut_3
                when 4 then cut_into_fifths.cut_4
            end as decimal(18, 2)
        ) as up_to

    from cut_into_fifths
    cross join fifths

)

select * from scored
