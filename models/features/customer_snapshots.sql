with

features as (

    select * from {{ ref('int_features__joined') }}

),

source_systems as (

    select * from {{ ref('int_features__source_systems') }}

),

cutoffs as (

    select * from {{ ref('int_prediction__cutoffs') }}

),

{% set measures = ['intervals', 'visits', 'lookbacks', 'recent_lines'] -%}
{% for name in measures -%}
{{ name }} as (

    select * from {{ ref('int_features__' ~ name) }}

),

{% endfor -%}
-- the past days that models learn from, and today
days as (

    select distinct
        source_system,
        cutoff_date as as_of_date

    from cutoffs

),

customer_snapshots as (

    select
        features.customer_key
        || ':' || cast(features.as_of_date as string) as snapshot_key,
        {% for column in [
            'customer_key', 'source_system', 'as_of_date', 'is_present', 'gender',
            'city', 'country', 'age', 'tenure_days', 'recency_days', 'frequency',
            'monetary', 'purchase_days', 'interpurchase_days',
            'interpurchase_variation', 'active_months', 'weekend_share',
            'basket_value', 'return_rate', 'coupons', 'redemption_rate',
            'distinct_merchants', 'favourite_merchant_share',
        ] -%}
        features.{{ column }},
        {% endfor -%}
        intervals.longest_interval_days,
        intervals.last_interval_days,
        features.interpurchase_days * features.interpurchase_variation
            as interpurchase_deviation,
        {{ ratio('features.recency_days', 'features.interpurchase_days') }}
            as overdue_ratio,
        {% for column in [
            'purchase_age_days', 'first_day_value', 'last_day_value',
            'repeat_day_value', 'mean_log_day_value',
        ] -%}
        visits.{{ column }},
        {% endfor -%}
        {% for column in lookback_columns() -%}
        lookbacks.{{ column }},
        {% endfor -%}
        lookbacks.gross_spend_365 - lookbacks.spend_365 as returned_spend_365,
        {% for column in ['lines_365', 'products_365', 'units_365'] -%}
        case
            when source_systems.has_products
                then coalesce(recent_lines.{{ column }}, 0)
        end as {{ column }},
        {% endfor -%}
        {% for column in [
            'mean_unit_price', 'mean_log_unit_price', 'mean_log_quantity',
            'max_quantity', 'largest_line',
        ] -%}
        recent_lines.{{ column }},
        {% endfor -%}
        recent_lines.bulk_share

    from features
    inner join days
        on
            features.source_system = days.source_system
            and features.as_of_date = days.as_of_date
    inner join source_systems
        on features.source_system = source_systems.source_system
    {% for name in measures -%}
    left join {{ name }}
        on
            features.customer_key = {{ name }}.customer_key
            and features.as_of_date = {{ name }}.as_of_date
    {% endfor -%}
    where features.frequency > 0

)

select * from customer_snapshots
