{% macro explored_features() %}

    {#- The numbers of `int_features__customer_days`, which are described one by one. A
        test compares them with its contract. -#}

    {{- return([
        'age', 'annual_income', 'spending_score', 'tenure_days',
        'activity_recency_days', 'recency_days', 'frequency', 'monetary',
        'lifetime_transactions', 'purchase_days', 'interpurchase_days',
        'interpurchase_variation', 'active_months', 'weekend_share', 'morning_share',
        'evening_share', 'mean_basket_value', 'mean_basket_items',
        'mean_basket_products', 'distinct_products', 'repeat_product_share',
        'return_rate', 'coupons', 'redemption_rate', 'distinct_merchants',
        'favourite_merchant_share', 'longest_interval_days', 'last_interval_days',
        'interpurchase_deviation', 'overdue_ratio', 'purchase_age_days',
        'first_day_value', 'last_day_value', 'repeat_day_value', 'mean_log_day_value',
        'purchases_30', 'spend_30', 'purchases_90', 'spend_90', 'purchases_180',
        'spend_180', 'purchases_365', 'spend_365', 'purchases_quarter_1',
        'spend_quarter_1', 'purchases_quarter_2', 'spend_quarter_2',
        'purchases_quarter_3', 'spend_quarter_3', 'purchases_quarter_4',
        'spend_quarter_4', 'decayed_purchases_30', 'decayed_spend_30',
        'decayed_purchases_90', 'decayed_spend_90', 'decayed_purchases_180',
        'decayed_spend_180', 'sep_dec_purchases', 'sep_dec_spend', 'gross_spend_365',
        'largest_purchase', 'returned_spend_365', 'lines_365', 'products_365',
        'units_365', 'mean_unit_price', 'mean_log_unit_price', 'mean_log_quantity',
        'max_quantity', 'largest_line', 'bulk_12_share',
    ] + shared_category_features()) -}}

{% endmacro %}


{% macro missing_counts(table_name, columns) %}

    {#- CTEs that count the nulls of columns in a table, by source system. The last one
        is `<table>_counted`, with a row per source system and column. -#}

{{ table_name }}_summed as (

    select
        {% for column in columns -%}
        count(*) - count({{ column }}) as {{ column }},
        {% endfor -%}
        source_system,
        count(*) as row_count

    from {{ ref(table_name) }}
    group by source_system

),

{{ table_name }}_counted as (

    select
        source_system,
        '{{ table_name }}' as table_name,
        column_name,
        row_count,
        missing

    from {{ table_name }}_summed
    unpivot (missing for column_name in ({{ columns | join(', ') }}))

)

{%- endmacro %}
