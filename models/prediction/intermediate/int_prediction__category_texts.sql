{{ config(materialized='table') }}

with

category_totals as (

    select * from {{ ref('int_features__category_totals') }}

),

first_purchases as (

    select * from {{ ref('int_features__first_purchases') }}

),

category_sales as (

    select * from {{ ref('int_prediction__category_sales') }}

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
        {{ dbt.datediff('last_purchase_date', 'as_of_date', 'day') }}
            as recency_days,
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

category_texts as (

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

)

select * from category_texts
