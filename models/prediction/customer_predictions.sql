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
    where withheld_reason is not null

),

scores as (

    {{ scores_of_all() }}

),

-- the preferred segmentation is the first target whose segments are named
predicted_segments as (

    select
        segment_scores.customer_key,
        segment_scores.segmentation,
        segment_labels.segment_name,
        segment_scores.probability,
        row_number() over (
            partition by segment_scores.customer_key
            order by segment_labels.target_rank asc nulls last
        ) as preference

    from segment_scores
    left join segment_labels
        on
            segment_scores.segmentation = segment_labels.segmentation
            and segment_scores.segment = segment_labels.segment
    left join withheld_labels
        on segment_scores.model_id = withheld_labels.model_id
    where withheld_labels.model_id is null

),

customer_predictions as (

    select
        scores.customer_key,
        scores.source_system,
        scores.population,
        scores.as_of_date,
        scores.horizon_days,
        scores.return_probability,
        scores.is_base_rate,
        scores.expected_purchases,
        scores.expected_spend,
        scores.spend_low,
        scores.spend_median,
        scores.spend_high,
        predicted_segments.segmentation as predicted_segmentation,
        predicted_segments.segment_name as predicted_segment,
        predicted_segments.probability as predicted_segment_probability,
        scores.model_id

    from scores
    left join predicted_segments
        on
            scores.customer_key = predicted_segments.customer_key
            and scores.population = 'new'
            and predicted_segments.preference = 1

)

select * from customer_predictions
