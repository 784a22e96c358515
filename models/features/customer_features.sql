with

customer_days as (

    select * from {{ ref('int_features__customer_days') }}

),

customer_features as (

    select
        customer_key,
        source_system,
        as_of_date,
        gender,
        city,
        country,
        age,
        annual_income,
        spending_score,
        tenure_days,
        activity_recency_days,
        recency_days,
        frequency,
        monetary,
        lifetime_transactions,
        purchase_days,
        interpurchase_days,
        interpurchase_variation,
        active_months,
        weekend_share,
        morning_share,
        evening_share,
        mean_basket_value,
        mean_basket_items,
        mean_basket_products,
        distinct_products,
        repeat_product_share,
        return_rate,
        coupons,
        redemption_rate,
        favourite_merchant,
        favourite_merchant_share,
        distinct_merchants

    from customer_days
    where is_today

)

select * from customer_features
