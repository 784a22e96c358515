with

customers as (

    select * from {{ ref('customers') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

segments as (

    select * from {{ ref('int_serving__segments') }}

),

customer_lifecycle as (

    select * from {{ ref('customer_lifecycle') }}

),

customer_interests as (

    select * from {{ ref('customer_interests') }}

),

customer_predictions as (

    select * from {{ ref('customer_predictions') }}

),

model_registry as (

    select * from {{ ref('model_registry') }}

),

-- an RFM segment can be several rectangles of the grid
rfm_descriptions as (

    select
        rfm_segment,
        min(description) as rfm_description

    from rfm_segments
    group by rfm_segment

),

interests as (

    select
        customer_key,
        max(case when interest_rank = 1 then category_name end) as interest_1,
        max(case when interest_rank = 2 then category_name end) as interest_2,
        max(case when interest_rank = 3 then category_name end) as interest_3

    from customer_interests
    group by customer_key

),

-- each join is to one row per customer, or to one row of what the customer has one of
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
        source_systems.as_of_date,
        customer_rfm.recency_days,
        customer_rfm.frequency,
        customer_rfm.monetary,
        {{ ratio(
            'customer_rfm.monetary',
            'sum(customer_rfm.monetary) over (partition by customers.source_system)'
        ) }} as revenue_share,
        customer_rfm.recency_score,
        customer_rfm.frequency_score,
        customer_rfm.monetary_score,
        customer_rfm.rfm_segment,
        rfm_descriptions.rfm_description,
        {% for segmentation in shipped_segmentations() -%}
        segments.{{ segmentation }}_segment_id,
        segments.{{ segmentation }}_segment_name,
        segments.{{ segmentation }}_confidence,
        segments.{{ segmentation }}_verdict,
        segments.{{ segmentation }}_rule,
        {% endfor -%}
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
    left join source_systems
        on customers.source_system = source_systems.source_system
    left join customer_rfm on customers.customer_key = customer_rfm.customer_key
    left join rfm_descriptions
        on customer_rfm.rfm_segment = rfm_descriptions.rfm_segment
    left join segments on customers.customer_key = segments.customer_key
    left join customer_lifecycle
        on customers.customer_key = customer_lifecycle.customer_key
    left join interests on customers.customer_key = interests.customer_key
    left join customer_predictions
        on customers.customer_key = customer_predictions.customer_key
    left join model_registry
        on customer_predictions.model_id = model_registry.model_id

)

select * from customer_360
