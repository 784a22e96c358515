with

segment_scores as (

    select * from {{ ref('int_prediction__segment_scores') }}

),

segment_labels as (

    select * from {{ ref('int_prediction__segment_labels') }}

),

customer_segment_probabilities as (

    select
        segment_scores.customer_key,
        segment_scores.source_system,
        segment_scores.segmentation,
        segment_scores.horizon_days,
        segment_scores.segment_rank,
        segment_labels.segment_id,
        segment_labels.segment_name,
        segment_scores.probability,
        segment_scores.model_id

    from segment_scores
    left join segment_labels
        on
            segment_scores.segmentation = segment_labels.segmentation
            and segment_scores.segment = segment_labels.segment

)

select * from customer_segment_probabilities
