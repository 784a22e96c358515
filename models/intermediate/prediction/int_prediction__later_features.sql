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
        features.*,
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
