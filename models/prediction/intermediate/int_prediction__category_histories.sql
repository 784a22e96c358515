{{ config(materialized='table') }}

with

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}
    where has_purchased and (is_today or is_training_date)

),

category_totals as (

    select * from {{ ref('int_features__category_totals') }}

),

first_purchases as (

    select * from {{ ref('int_features__first_purchases') }}

),

category_sales as (

    select * from {{ ref('int_prediction__category_sales') }}

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

-- what a customer has bought of each category as of the date; a new customer has one
-- purchase
totals as (

    select
        'existing' as population,
        customer_key,
        as_of_date,
        category_id,
        purchases,
        spend,
        last_purchase_date

    from category_totals

    union all

    select
        'new' as population,
        first_purchases.customer_key,
        first_purchases.as_of_date,
        category_sales.category_id,
        1 as purchases,
        category_sales.spend,
        first_purchases.first_purchase_date as last_purchase_date

    from first_purchases
    inner join category_sales
        on first_purchases.transaction_key = category_sales.transaction_key

),

ranked as (

    select
        *,
        {{ dbt.datediff('last_purchase_date', 'as_of_date', 'day') }} as recency_days,
        row_number() over (
            partition by population, customer_key, as_of_date
            order by
                spend desc nulls last,
                purchases desc,
                last_purchase_date desc,
                category_id asc
        ) as spend_rank

    from totals
    where purchases > 0

),

joined_to_texts as (

    select
        population,
        customer_key,
        as_of_date,
        max(case when spend_rank = 1 then category_id end) as main_category,
        count(*) as distinct_categories,
        min(recency_days) as category_recency_days,
        {{ sorted_texts(
            "cast(category_id as string) || ':' || cast(purchases as string) || ':'"
            ~ " || cast(coalesce(cast(spend as decimal(18, 2)), 0) as string) || ':'"
            ~ " || cast(recency_days as string)"
        ) }} as category_history

    from ranked
    group by population, customer_key, as_of_date

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
        cast(joined_to_texts.main_category as string) as main_category,
        coalesce(joined_to_texts.distinct_categories, 0) as distinct_categories,
        joined_to_texts.category_recency_days,
        coalesce(joined_to_texts.category_history, '') as category_history

    from measured
    inner join flags on measured.source_system = flags.source_system
    left join joined_to_texts
        on
            measured.customer_key = joined_to_texts.customer_key
            and measured.population = joined_to_texts.population
            and measured.as_of_date = joined_to_texts.as_of_date
    where measured.is_training_customer or measured.is_scored

)

select * from category_histories
