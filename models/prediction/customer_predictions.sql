with

customer_segment_predictions as (

    select * from {{ ref('customer_segment_predictions') }}

),

scores as (

    {{ scores_of_all() }}

),

-- the preferred segmentation is the first target whose segments are named
predicted_segments as (

    select
        customer_key,
        segmentation,
        segment_name,
        probability,
        row_number() over (
            partition by customer_key
            order by target_rank asc nulls last, segmentation asc
        ) as preference

    from customer_segment_predictions
    where withheld_reason is null

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
