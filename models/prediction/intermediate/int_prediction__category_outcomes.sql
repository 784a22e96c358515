{{ config(materialized='table') }}

with

cohorts as (

    select * from {{ ref('int_prediction__cohorts') }}
    where task = 'interests'

),

category_sales as (

    select * from {{ ref('int_prediction__category_sales') }}

),

bought as (

    select
        cohorts.customer_key,
        cohorts.source_system,
        cohorts.population,
        cohorts.as_of_date,
        cohorts.horizon_days,
        cohorts.backtest_split,
        category_sales.category_id,
        count(*) as purchases,
        coalesce({{ total('category_sales.spend') }}, 0) as spend

    from cohorts
    inner join category_sales
        on
            cohorts.customer_key = category_sales.customer_key
            and cohorts.as_of_date <= category_sales.completed_at
            and cohorts.end_date > category_sales.completed_at
    group by
        cohorts.customer_key,
        cohorts.source_system,
        cohorts.population,
        cohorts.as_of_date,
        cohorts.horizon_days,
        cohorts.backtest_split,
        category_sales.category_id

),

-- the main category has the most spend; ties go to more purchases, then to the lower id
ranked as (

    select
        *,
        row_number() over (
            partition by customer_key, population, as_of_date, horizon_days
            order by spend desc, purchases desc, category_id asc
        ) as spend_rank

    from bought

),

category_outcomes as (

    select
        customer_key,
        source_system,
        population,
        as_of_date,
        horizon_days,
        backtest_split,
        max(case when spend_rank = 1 then category_id end) as category_id,
        {{ sorted_texts('cast(category_id as string)') }} as bought_categories

    from ranked
    group by
        customer_key,
        source_system,
        population,
        as_of_date,
        horizon_days,
        backtest_split

)

select * from category_outcomes
