{{ config(materialized='table') }}

{%- set targets = var('prediction_segment_targets') %}
with

names as (

    select * from {{ ref('int_segmentation__names') }}

),

rfm_segments as (

    select distinct rfm_segment from {{ ref('rfm_segments') }}

),

targets as (

    {% for target in targets -%}
    select
        '{{ target }}' as segmentation,
        {{ loop.index }} as target_rank
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- models predict RFM segments by name and other segments by id; names are as of today
segments as (

    select
        'rfm' as segmentation,
        rfm_segment as segment,
        cast(null as int) as segment_id,
        rfm_segment as segment_name

    from rfm_segments

    union all

    select
        segmentation,
        cast(segment_id as string) as segment,
        cast(segment_id as int) as segment_id,
        segment_name

    from names

),

segment_labels as (

    select
        segments.segmentation,
        segments.segment,
        segments.segment_id,
        segments.segment_name,
        targets.target_rank

    from segments
    inner join targets on segments.segmentation = targets.segmentation

)

select * from segment_labels
