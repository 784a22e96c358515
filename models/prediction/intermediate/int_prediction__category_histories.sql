{{ config(materialized='table') }}

with

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}
    where has_purchased and (is_today or is_training_date)

),

first_purchases as (

    select * from {{ ref('int_features__first_purchases') }}

),

category_texts as (

    select * from {{ ref('int_prediction__category_texts') }}

),

flags as (

    select * from {{ ref('int_features__source_systems') }}
    where has_products

),

-- new customers are measured after the first purchase, and not today
measured as (

    select
        as_of_dates.customer_key,
        as_of_dates.source_system,
        'existing' as population,
        as_of_dates.as_of_date,
        as_of_dates.first_purchase_date,
        as_of_dates.is_training_date as is_training_customer,
        as_of_dates.is_today and not coalesce(first_purchases.is_new, false)
            as is_scored,
        cast(null as string) as transaction_key

    from as_of_dates
    left join first_purchases
        on as_of_dates.customer_key = first_purchases.customer_key

    union all

    select
        customer_key,
        source_system,
        'new' as population,
        as_of_date,
        first_purchase_date,
        is_training_customer,
        is_new as is_scored,
        transaction_key

    from first_purchases

),

category_histories as (

    select
        measured.customer_key,
        measured.source_system,
        measured.population,
        measured.as_of_date,
        measured.first_purchase_date,
        measured.is_training_customer,
        measured.is_scored,
        category_texts.category_recency_days,
        cast(category_texts.main_category as string) as main_category,
        coalesce(category_texts.distinct_categories, 0) as distinct_categories,
        coalesce(category_texts.category_history, '') as category_history

    from measured
    inner join flags on measured.source_system = flags.source_system
    left join category_texts
        on
            measured.customer_key = category_texts.customer_key
            and measured.population = category_texts.population
            and measured.as_of_date = category_texts.as_of_date
    where measured.is_training_customer or measured.is_scored

)

select * from category_histories
