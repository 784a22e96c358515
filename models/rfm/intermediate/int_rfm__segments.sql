{{ config(materialized='table') }}

with

rfm_values as (

    select * from {{ ref('int_rfm__values') }}

),

cut_points as (

    select * from {{ ref('rfm_cut_points') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

{{ segments_by_scores('rfm_values', 'cut_points', ['source_system'], [
    'customer_key',
    'source_system',
    'as_of_date',
    'is_today',
    'is_segment_target_date',
    'recency_days',
    'frequency',
    'monetary',
]) }}

select * from named
