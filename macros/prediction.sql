{% macro prediction_horizons() %}
    {#- The horizons of a build in days: the published one, and the shorter ones. -#}
    {%- set published = var('prediction_horizon_days') -%}
    {%- set shorter = var('prediction_backtest_horizon_days') -%}
    {{- return([published] + (shorter | select('lt', published) | list)) -}}
{% endmacro %}


{% macro prediction_records(source_systems, products) %}

    {#- CTEs that say how long the record of each source system is, the last is `records`:
        the earliest date with a history, and the end of the burn-in. Customers who first
        buy before it may have bought before the record begins. A column that ends in
        `_ago` counts days before the as-of date. -#}

    {%- set days = dbt.datediff(
        source_systems ~ '.first_purchase_date', source_systems ~ '.as_of_date', 'day'
    ) -%}
with_products as (

    select distinct source_system from {{ products }}
    where is_product

),

records as (

    select
        {{ source_systems }}.source_system,
        {{ source_systems }}.as_of_date,
        with_products.source_system is not null as has_products,
        {{ days }} - {{ var('prediction_history_days') }} as history_ago,
        {{ days }} - {{ var('prediction_burn_in_days') }} as burn_in_ago

    from {{ source_systems }}
    left join with_products
        on {{ source_systems }}.source_system = with_products.source_system
    where {{ source_systems }}.first_purchase_date is not null

)

{%- endmacro %}


{% macro prediction_tasks(records) %}

    {#- CTEs that say what can be predicted of each source system, the last is `tasks`. A
        column that ends in `_ago` counts days before the as-of date.

        Existing customers (`population`) are measured on one date (a window of 0 days); new
        customers are all who first buy in a window, measured on the day after (offset). -#}

horizons as (

    {% for days in prediction_horizons() -%}
    select
        'next_purchases' as task,
        {{ days }} as horizon_days
    union all
    {% endfor -%}
    {#- half the horizon is a second date to choose on -#}
    {% for days in [
        var('prediction_interest_days'), var('prediction_interest_days') // 2
    ] -%}
    select
        'interests' as task,
        {{ days }} as horizon_days
    union all
    {% endfor -%}
    select
        'segment' as task,
        {{ var('prediction_segment_days') }} as horizon_days

),

populations as (

    select
        'existing' as population,
        0 as window_days,
        0 as offset_days
    union all
    select
        'new' as population,
        {{ var('prediction_test_days') }} as window_days,
        1 as offset_days

),

-- the longest horizon that leaves a date to learn from and, before it, one to choose on
published as (

    select
        {{ records }}.source_system,
        max(horizons.horizon_days) as published_days

    from {{ records }}
    inner join horizons
        on
            horizons.task = 'next_purchases'
            and horizons.horizon_days + {{ prediction_horizons() | min }} <= least(
                {{ records }}.history_ago,
                {{ records }}.burn_in_ago - {{ var('prediction_test_days') }} - 1
            )
    group by {{ records }}.source_system

),

tasks as (

    select
        {{ records }}.*,
        horizons.*,
        populations.*,
        case
            when horizons.task = 'segment' then horizons.horizon_days
            when horizons.task = 'interests' then {{ var('prediction_interest_days') }}
            else published.published_days
        end as published_days,
        case
            when populations.population = 'existing' then {{ records }}.history_ago
            else {{ records }}.burn_in_ago - populations.window_days
        end as limit_ago,
        case
            when populations.population = 'new' then {{ records }}.burn_in_ago
        end as first_ago

    from {{ records }}
    inner join published on {{ records }}.source_system = published.source_system
    inner join horizons
        on
            horizons.task = 'segment'
            or (horizons.task = 'interests' and {{ records }}.has_products)
            or (
                horizons.task = 'next_purchases'
                and published.published_days >= horizons.horizon_days
            )
    inner join populations
        on horizons.task <> 'segment' or populations.population = 'new'

)

{%- endmacro %}


{% macro scores_of_all() %}

    {#- The scores of all customers with a purchase, one row each: new customers are scored
        from their first purchase. Where no model tells which of them return, they have the
        base rate, and so at least as many purchases. -#}

    with

    new_scores as (

        select * from {{ ref('int_prediction__new_scores') }}

    ),

    existing_scores as (

        select * from {{ ref('int_prediction__existing_scores') }}

    ),

    return_rates as (

        select * from {{ ref('int_prediction__return_rates') }}

    )

    {%- set columns = [
        'customer_key', 'source_system', 'as_of_date', 'horizon_days', 'expected_spend',
        'spend_low', 'spend_median', 'spend_high', 'model_id',
    ] %}

    select
        'new' as population,
        {% for column in columns -%}
        new_scores.{{ column }},
        {% endfor -%}
        coalesce(return_rates.base_rate, new_scores.return_probability)
            as return_probability,
        greatest(
            new_scores.expected_purchases, coalesce(return_rates.base_rate, 0)
        ) as expected_purchases,
        return_rates.base_rate is not null as is_base_rate

    from new_scores
    left join return_rates on new_scores.model_id = return_rates.model_id

    union all

    select
        'existing' as population,
        {% for column in columns -%}
        existing_scores.{{ column }},
        {% endfor -%}
        existing_scores.return_probability,
        existing_scores.expected_purchases,
        false as is_base_rate

    from existing_scores
    left join new_scores on existing_scores.customer_key = new_scores.customer_key
    where new_scores.customer_key is null

{% endmacro %}


{% macro interests_side_by_side(ranks) %}
    {#- The names of the first categories of a customer, most probable first. -#}
    {%- for rank in range(1, ranks + 1) %}
    max(case when interest_rank = {{ rank }} then category_name end) as interest_{{ rank }}
    {{- ',' if not loop.last }}
    {%- endfor %}
{% endmacro %}
