-- Which customers of value are about to be lost? Those with the best monetary score who
-- bought often and have not bought for long, the most valuable first.
with

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

),

customer_features as (

    select * from {{ ref('customer_features') }}

)

select
    customer_rfm.source_system,
    customer_rfm.customer_key,
    customer_rfm.rfm_segment,
    customer_rfm.monetary,
    customer_rfm.frequency,
    customer_rfm.recency_days,
    customer_features.interpurchase_days

from customer_rfm
inner join customer_features
    on customer_rfm.customer_key = customer_features.customer_key
where
    customer_rfm.monetary_score = 5
    and customer_rfm.rfm_segment in ('At Risk', 'Can''t Lose Them')
order by
    customer_rfm.source_system asc,
    customer_rfm.monetary desc,
    customer_rfm.customer_key asc
