{{ config(materialized='table') }}

with

customer_days as (

    select * from {{ ref('int_features__customer_days') }}
    where frequency is not null and (is_today or is_segment_target_date)

),

cut_points as (

    select * from {{ ref('rfm_cut_points') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

{{ segments_by_scores('customer_days', 'cut_points', ['source_system'], [
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
