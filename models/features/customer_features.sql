with

customers as (

    select * from {{ ref('customers') }}

),

source_systems as (

    select * from {{ ref('int_features__source_systems') }}

),

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

),

customer_merchant_shares as (

    select * from {{ ref('customer_merchant_shares') }}

),

{% set measures = ['tenure', 'intervals', 'habits', 'baskets', 'transactions'] -%}
{% for name in measures -%}
{{ name }} as (

    select * from {{ ref('int_features__' ~ name) }}

),

{% endfor -%}
merchants as (

    select
        customer_key,
        count(*) as distinct_merchants,
        max(case when merchant_rank = 1 then merchant_name end) as favourite_merchant,
        max(merchant_share) as favourite_merchant_share

    from customer_merchant_shares
    group by customer_key

),

customer_features as (

    select
        customers.customer_key,
        customers.source_system,
        tenure.as_of_date,
        customers.gender,
        customers.city,
        customers.country,
        customers.age,
        customers.annual_income,
        customers.spending_score,
        tenure.tenure_days,
        tenure.activity_recency_days,
        customer_rfm.recency_days,
        customer_rfm.frequency,
        customer_rfm.monetary,
        customers.lifetime_transactions,
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

    from customers
    inner join source_systems
        on customers.source_system = source_systems.source_system
    left join customer_rfm on customers.customer_key = customer_rfm.customer_key
    left join merchants on customers.customer_key = merchants.customer_key
    {% for name in measures -%}
    left join {{ name }} on customers.customer_key = {{ name }}.customer_key
    {% endfor %}
)

select * from customer_features
