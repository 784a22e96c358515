with

features as (

    select * from {{ ref('int_features__joined') }}

),

first_purchases as (

    select * from {{ ref('int_observations__first_purchases') }}

),

-- the same time after the first purchase for all
later_features as (

    select
        features.customer_key,
        features.source_system,
        features.as_of_date,
        features.gender,
        features.city,
        features.country,
        features.age,
        features.annual_income,
        features.spending_score,
        features.tenure_days,
        features.activity_recency_days,
        features.recency_days,
        features.frequency,
        features.monetary,
        features.lifetime_transactions,
        features.purchase_days,
        features.interpurchase_days,
        features.interpurchase_variation,
        features.active_months,
        features.weekend_share,
        features.morning_share,
        features.evening_share,
        features.basket_value,
        features.basket_items,
        features.basket_products,
        features.distinct_products,
        features.repeat_product_share,
        features.return_rate,
        features.coupons,
        features.redemption_rate,
        features.favourite_merchant,
        features.favourite_merchant_share,
        features.distinct_merchants,
        first_purchases.first_purchase_date

    from features
    inner join first_purchases
        on
            features.customer_key = first_purchases.customer_key
            and features.as_of_date
            = cast(
                {{ dbt.dateadd(
                    'day',
                    var('prediction')['segment_after_days'],
                    'first_purchases.day_after_date'
                ) }} as date
            )

)

select * from later_features
