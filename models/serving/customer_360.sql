with

customers as (

    select * from {{ ref('customers') }}

),

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

customer_lifecycle as (

    select * from {{ ref('customer_lifecycle') }}

),

interests as (

    select * from {{ ref('int_serving__interests') }}

),

customer_predictions as (

    select * from {{ ref('customer_predictions') }}

),

model_registry as (

    select * from {{ ref('model_registry') }}

),

segments as (

    select * from {{ ref('int_serving__segments') }}

),

-- an RFM segment can be several rectangles of the grid: one description each
rfm_descriptions as (

    select
        rfm_segment,
        min(description) as rfm_description

    from rfm_segments
    group by rfm_segment

),

customer_360 as (

    select
        customers.customer_key,
        customers.source_system,
        customers.customer_id,
        customers.joined_at,
        customers.gender,
        customers.city,
        customers.country,
        customers.age,
        customers.annual_income,
        customers.spending_score,
        customers.lifetime_purchases,
        customers.lifetime_spent,
        customer_rfm.as_of_date,
        customer_rfm.recency_days,
        customer_rfm.frequency,
        customer_rfm.monetary,
        customer_rfm.recency_score,
        customer_rfm.frequency_score,
        customer_rfm.monetary_score,
        customer_rfm.rfm_segment,
        rfm_descriptions.rfm_description,
        segments.online_retail_value_segment_id,
        segments.online_retail_value_segment_name,
        segments.online_retail_value_confidence,
        segments.online_retail_value_verdict,
        segments.online_retail_value_rule,
        segments.online_retail_behaviour_segment_id,
        segments.online_retail_behaviour_segment_name,
        segments.online_retail_behaviour_confidence,
        segments.online_retail_behaviour_verdict,
        segments.online_retail_behaviour_rule,
        segments.online_retail_taste_segment_id,
        segments.online_retail_taste_segment_name,
        segments.online_retail_taste_confidence,
        segments.online_retail_taste_verdict,
        segments.online_retail_taste_rule,
        segments.marketplace_coupons_segment_id,
        segments.marketplace_coupons_segment_name,
        segments.marketplace_coupons_confidence,
        segments.marketplace_coupons_verdict,
        segments.marketplace_coupons_rule,
        segments.mall_income_score_segment_id,
        segments.mall_income_score_segment_name,
        segments.mall_income_score_confidence,
        segments.mall_income_score_verdict,
        segments.mall_income_score_rule,
        segments.mall_profile_segment_id,
        segments.mall_profile_segment_name,
        segments.mall_profile_confidence,
        segments.mall_profile_verdict,
        segments.mall_profile_rule,
        customer_lifecycle.lifecycle_stage,
        customer_lifecycle.due_date,
        customer_lifecycle.overdue_days,
        interests.interest_1,
        interests.interest_2,
        interests.interest_3,
        customer_predictions.horizon_days,
        customer_predictions.return_probability,
        customer_predictions.expected_purchases,
        customer_predictions.expected_spend,
        customer_predictions.spend_low,
        customer_predictions.spend_high,
        model_registry.algorithm as prediction_algorithm,
        model_registry.algorithm = model_registry.baseline as is_baseline_prediction

    from customers
    left join customer_rfm
        on customers.customer_key = customer_rfm.customer_key
    left join segments
        on customers.customer_key = segments.customer_key
    left join customer_lifecycle
        on customers.customer_key = customer_lifecycle.customer_key
    left join interests
        on customers.customer_key = interests.customer_key
    left join customer_predictions
        on customers.customer_key = customer_predictions.customer_key
    left join rfm_descriptions
        on customer_rfm.rfm_segment = rfm_descriptions.rfm_segment
    left join model_registry
        on customer_predictions.model_id = model_registry.model_id

)

select * from customer_360
