-- each value of a customer is that of the table it comes from
with

customer_360 as (

    select * from {{ ref('customer_360') }}

),

customers as (

    select * from {{ ref('customers') }}

),

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

),

customer_segments as (

    select * from {{ ref('customer_segments') }}

),

customer_lifecycle as (

    select * from {{ ref('customer_lifecycle') }}

),

customer_interests as (

    select * from {{ ref('customer_interests') }}

),

customer_predictions as (

    select * from {{ ref('customer_predictions') }}

)

select
    customers.customer_key,
    'a customer is missing' as what

from customers
left join customer_360 on customers.customer_key = customer_360.customer_key
where customer_360.customer_key is null

union all

select
    customers.customer_key,
    'purchases' as what

from customers
inner join customer_360 on customers.customer_key = customer_360.customer_key
where
    customers.lifetime_purchases is distinct from customer_360.frequency
    or customers.lifetime_spent is distinct from customer_360.monetary

union all

select
    customer_rfm.customer_key,
    'rfm_segment' as what

from customer_rfm
left join customer_360 on customer_rfm.customer_key = customer_360.customer_key
where customer_rfm.rfm_segment is distinct from customer_360.rfm_segment

{% for segmentation in shipped_segmentations() %}
union all

select
    customer_segments.customer_key,
    '{{ segmentation }}' as what

from customer_segments
left join customer_360 on customer_segments.customer_key = customer_360.customer_key
where
    customer_segments.segmentation = '{{ segmentation }}'
    and (
        customer_segments.segment_id
        is distinct from customer_360.{{ segmentation }}_segment_id
        or customer_segments.segment_name
        is distinct from customer_360.{{ segmentation }}_segment_name
        or customer_segments.verdict
        is distinct from customer_360.{{ segmentation }}_verdict
    )

{% endfor %}
union all

select
    customer_lifecycle.customer_key,
    'lifecycle_stage' as what

from customer_lifecycle
left join customer_360 on customer_lifecycle.customer_key = customer_360.customer_key
where customer_lifecycle.lifecycle_stage is distinct from customer_360.lifecycle_stage

union all

select
    customer_predictions.customer_key,
    'prediction' as what

from customer_predictions
left join customer_360
    on customer_predictions.customer_key = customer_360.customer_key
where
    customer_predictions.expected_spend is distinct from customer_360.expected_spend
    or customer_predictions.return_probability
    is distinct from customer_360.return_probability

union all

select
    customer_interests.customer_key,
    'interest' as what

from customer_interests
left join customer_360 on customer_interests.customer_key = customer_360.customer_key
where
    customer_interests.is_top_interest
    and customer_interests.category_name is distinct from
    case customer_interests.interest_rank
        when 1 then customer_360.interest_1
        when 2 then customer_360.interest_2
        when 3 then customer_360.interest_3
    end
