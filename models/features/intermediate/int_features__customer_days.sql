{{ config(materialized='table') }}

with

observations as (

    select * from {{ ref('int_observations__customers') }}

),

customers as (

    select * from {{ ref('customers') }}

),

source_systems as (

    select * from {{ ref('int_features__source_systems') }}

),

rfm as (

    select * from {{ ref('int_rfm__measures') }}

),

{% set measures = [
    'tenure', 'intervals', 'habits', 'baskets', 'transactions', 'merchants',
] -%}
{% for name in measures -%}
{{ name }} as (

    select * from {{ ref('int_features__' ~ name) }}

),

{% endfor -%}
joined as (

    select
        observations.customer_key,
        observations.source_system,
        observations.as_of_date,
        observations.is_present,
        customers.gender,
        customers.city,
        customers.country,
        customers.age,
        customers.annual_income,
        customers.spending_score,
        tenure.tenure_days,
        tenure.activity_recency_days,
        rfm.recency_days,
        rfm.frequency,
        rfm.monetary,
        observations.lifetime_transactions,
        intervals.purchase_days,
        intervals.interpurchase_days,
        intervals.interpurchase_variation,
        habits.active_months,
        habits.weekend_share,
        habits.morning_share,
        habits.evening_share,
        transactions.basket_value,
        baskets.basket_items,
        baskets.basket_products,
        baskets.distinct_products,
        baskets.repeat_product_share,
        transactions.return_rate,
        transactions.coupons,
        transactions.redemption_rate,
        merchants.favourite_merchant,
        merchants.favourite_merchant_share,
        case
            when source_systems.has_merchants
                then coalesce(merchants.distinct_merchants, 0)
        end as distinct_merchants

    from observations
    inner join customers on observations.customer_key = customers.customer_key
    inner join source_systems
        on observations.source_system = source_systems.source_system
    {% for name in ['rfm'] + measures -%}
    left join {{ name }}
        on
            observations.customer_key = {{ name }}.customer_key
            and observations.as_of_date = {{ name }}.as_of_date
    {% endfor %}

)

select * from joined
