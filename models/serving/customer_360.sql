-- it reads scores, not customer_predictions and customer_interests: the path through
-- the models would be longer by one. A test compares them
with

profiles as (

    select * from {{ ref('int_serving__profiles') }}

),

customer_segments as (

    select * from {{ ref('customer_segments') }}

),

rules as (

    select * from {{ ref('int_serving__rules') }}

),

interest_scores as (

    select * from {{ ref('int_prediction__interest_scores') }}

),

categories as (

    select * from {{ ref('int_prediction__categories') }}

),

model_registry as (

    select * from {{ ref('model_registry') }}

),

explained as (

    select
        customer_segments.*,
        rules.rule

    from customer_segments
    left join rules
        on
            customer_segments.segmentation = rules.segmentation
            and customer_segments.segment_id = rules.segment_id

),

segments as (

    select
        customer_key,
        {{ segments_side_by_side() }}

    from explained
    group by customer_key

),

interests as (

    select
        interest_scores.customer_key,
        {{ interests_side_by_side(3) }}

    from interest_scores
    left join categories
        on
            interest_scores.source_system = categories.source_system
            and interest_scores.category_id = categories.category_id
    group by interest_scores.customer_key

),

scores as (

    {{ scores_of_all() }}

),

-- each join is to at most one row per customer
customer_360 as (

    select
        profiles.customer_key,
        profiles.source_system,
        profiles.customer_id,
        profiles.joined_at,
        profiles.gender,
        profiles.city,
        profiles.country,
        profiles.age,
        profiles.annual_income,
        profiles.spending_score,
        profiles.as_of_date,
        profiles.recency_days,
        profiles.frequency,
        profiles.monetary,
        profiles.revenue_share,
        profiles.recency_score,
        profiles.frequency_score,
        profiles.monetary_score,
        profiles.rfm_segment,
        profiles.rfm_description,
        {% for name, _, _ in shipped_segment_columns() -%}
        segments.{{ name }},
        {% endfor -%}
        profiles.lifecycle_stage,
        profiles.due_date,
        profiles.overdue_days,
        interests.interest_1,
        interests.interest_2,
        interests.interest_3,
        scores.horizon_days,
        scores.return_probability,
        scores.is_base_rate,
        scores.expected_purchases,
        scores.expected_spend,
        scores.spend_low,
        scores.spend_median,
        scores.spend_high,
        model_registry.algorithm as prediction_algorithm,
        model_registry.algorithm = model_registry.baseline as is_baseline_prediction

    from profiles
    left join segments on profiles.customer_key = segments.customer_key
    left join interests on profiles.customer_key = interests.customer_key
    left join scores on profiles.customer_key = scores.customer_key
    left join model_registry on scores.model_id = model_registry.model_id

)

select * from customer_360
