{%- set targets = var('prediction')['segment_targets'] -%}
with

segment_scores as (

    select * from {{ ref('int_prediction__segment_scores') }}

),

segments as (

    select * from {{ ref('segments') }}

),

-- an RFM segment is its own name, others have the name of today
customer_segment_predictions as (

    select
        segment_scores.customer_key,
        segment_scores.source_system,
        segment_scores.segmentation,
        segment_scores.horizon_days,
        case segment_scores.segmentation
            {%- for target in targets %}
            when '{{ target }}' then {{ loop.index }}
            {%- endfor %}
        end as target_rank,
        case
            when segment_scores.segmentation <> 'rfm'
                then cast(segment_scores.segment as int)
        end as segment_id,
        case
            when segment_scores.segmentation = 'rfm' then segment_scores.segment
            else segments.segment_name
        end as segment_name,
        segment_scores.probability,
        segment_scores.model_id

    from segment_scores
    left join segments
        on
            segment_scores.segmentation = segments.segmentation
            and segment_scores.segment = cast(segments.segment_id as string)

)

select * from customer_segment_predictions
