with

segment_scores as (

    select * from {{ ref('int_prediction__segment_scores') }}
    where segment_rank = 1

),

segment_labels as (

    select * from {{ ref('int_prediction__segment_labels') }}

),

withheld_labels as (

    select * from {{ ref('int_prediction__withheld_labels') }}

),

customer_segment_predictions as (

    select
        segment_scores.customer_key,
        segment_scores.source_system,
        segment_scores.segmentation,
        segment_scores.horizon_days,
        segment_labels.target_rank,
        segment_scores.probability,
        withheld_labels.withheld_reason,
        segment_scores.model_id,
        case
            when withheld_labels.withheld_reason is null then segment_labels.segment_id
        end as segment_id,
        case
            when withheld_labels.withheld_reason is null
                then segment_labels.segment_name
        end as segment_name

    from segment_scores
    left join segment_labels
        on
            segment_scores.segmentation = segment_labels.segmentation
            and segment_scores.segment = segment_labels.segment
    left join withheld_labels
        on segment_scores.model_id = withheld_labels.model_id

)

select * from customer_segment_predictions
