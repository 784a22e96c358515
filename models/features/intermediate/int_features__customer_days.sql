{{ config(materialized='table') }}

with

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}

),

-- as on record today: no source system keeps their history
attributes as (

    select
        customer_key,
        gender,
        city,
        country,
        age,
        annual_income,
        spending_score

    from {{ ref('customers') }}

),

favourite_merchants as (

    select
        customer_key,
        as_of_date,
        merchant_name as favourite_merchant,
        merchant_share as favourite_merchant_share

    from {{ ref('int_features__merchant_shares') }}
    where merchant_rank = 1

),

lifetime as (

    select * from {{ ref('int_features__lifetime') }}

),

intervals as (

    select * from {{ ref('int_features__intervals') }}

),

habits as (

    select * from {{ ref('int_features__habits') }}

),

purchases as (

    select * from {{ ref('int_features__purchases') }}

),

baskets as (

    select * from {{ ref('int_features__baskets') }}

),

visits as (

    select * from {{ ref('int_features__visits') }}

),

lookbacks as (

    select * from {{ ref('int_features__lookbacks') }}

),

recent_lines as (

    select * from {{ ref('int_features__recent_lines') }}

),

category_totals as (

    select * from {{ ref('int_features__category_totals') }}

),

-- equal shares of the categories that exist
even_shares as (

    select
        {% for category in shared_categories() -%}
        {{ ratio(
            'count(distinct case when category_id = ' ~ category ~ ' then 1 end)',
            'count(distinct category_id)'
        ) }} as even_share_{{ category }},
        {% endfor -%}
        source_system

    from {{ ref('int_products__assignments') }}
    group by source_system

),

category_shares as (

    select
        {% for category in shared_categories() -%}
        {{ category_share(category) }} as category_{{ category }}_share,
        {% endfor -%}
        category_totals.customer_key,
        category_totals.as_of_date

    from category_totals
    inner join even_shares
        on category_totals.source_system = even_shares.source_system
    group by category_totals.customer_key, category_totals.as_of_date

),

-- the contract in the YAML file lists all features; a measure that has a column more
-- fails the test assert_every_measure_is_a_feature
customer_days as (

    select {{ columns_of('int_features__customer_days') }}

    from as_of_dates
    {{ measured_by('attributes', 'customer_key') }}
    {{ measured_by('favourite_merchants') }}
    {{ measured_by('lifetime') }}
    {{ measured_by('intervals') }}
    {{ measured_by('habits') }}
    {{ measured_by('purchases') }}
    {{ measured_by('baskets') }}
    {{ measured_by('visits') }}
    {{ measured_by('lookbacks') }}
    {{ measured_by('recent_lines') }}
    {{ measured_by('category_shares') }}

)

select * from customer_days
