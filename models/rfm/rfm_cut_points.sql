{# when frozen, only a source system without cut points gets new ones -#}
{%- set is_frozen = var('rfm_cut_points') == 'frozen' -%}
{{ config(
    materialized='incremental' if is_frozen else 'table',
    incremental_strategy='append',
    on_schema_change='fail',
) }}

with

rfm_values as (

    select * from {{ ref('int_rfm__values') }}

),

frozen_cut_points as (

    select source_system from {{ this if is_incremental() else 'rfm_values' }}
    where {{ is_incremental() | lower }}

),

-- the cut points are those of today's customers with a purchase
buyers as (

    select * from rfm_values
    where
        is_today
        and frequency > 0
        and source_system not in (
            select frozen_cut_points.source_system from frozen_cut_points
        )

),

{{ cut_points_of('buyers', ['source_system']) }}

select * from cut_points
