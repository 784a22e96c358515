{{ config(materialized='table') }}

{%- set targets = var('prediction')['segment_targets'] -%}
with

later_features as (

    select * from {{ ref('int_prediction__later_features') }}

),

later_segments as (

    select * from {{ ref('int_prediction__later_segments') }}

),

rfm_segments as (

    select * from {{ ref('int_rfm__segments') }}

),

-- who lacks a feature some time later is in no segment then
united as (

    select
        later_features.customer_key,
        'rfm' as segmentation,
        rfm_segments.rfm_segment as segment

    from later_features
    inner join rfm_segments
        on
            later_features.customer_key = rfm_segments.customer_key
            and later_features.as_of_date = rfm_segments.as_of_date

    union all

    select
        customer_key,
        segmentation,
        cast(segment_id as string) as segment

    from later_segments
    where segment_id is not null

),

segment_targets as (

    select
        later_features.customer_key,
        later_features.source_system,
        later_features.first_purchase_date,
        united.segmentation,
        united.segment,
        later_features.purchase_days > 1 as has_returned

    from later_features
    inner join united on later_features.customer_key = united.customer_key
    where
        united.segmentation in (
            {%- for target in targets %}
            '{{ target }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )

)

select * from segment_targets
