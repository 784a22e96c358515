{% macro ratio(numerator, denominator) %}
    {#- A quotient of two exact sums, so that the order of the rows does not matter. Null
        if the denominator is zero. -#}
    cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0)
{%- endmacro %}


{% macro total(expression, decimals=2) %}
    {#- A sum of decimals. The engines give it different types, so it is cast. -#}
    cast(sum({{ expression }}) as decimal(38, {{ decimals }}))
{%- endmacro %}


{% macro is_bought(quantity) %}
    {#- Whether a line of a transaction is a purchase, not a return. A line without a quantity
        is bought. -#}
    coalesce({{ quantity }}, 1) > 0
{%- endmacro %}


{% macro day_of_week(column) %}
    {#- From 1 (Monday) to 7 (Sunday). The engines number weekdays differently, so this
        counts the days since a Monday before all our dates. -#}
    (mod({{ dbt.datediff("cast('1900-01-01' as date)", column, 'day') }}, 7) + 1)
{%- endmacro %}


{% macro days_before(days, date) %}
    {#- The date that is a number of days before another. -#}
    cast({{ dbt.dateadd('day', '-(' ~ days ~ ')', date) }} as date)
{%- endmacro %}


{% macro days_after(days, date) %}
    {#- The date that is a number of days after another. -#}
    cast({{ dbt.dateadd('day', days, date) }} as date)
{%- endmacro %}


{% macro measured_by(measure, keys='customer_key, as_of_date') %}
    {#- Joins the features of a measure to the spine. Each feature is in one measure only,
        so the columns need no prefix. -#}
    left join {{ measure }} using ({{ keys }})
{%- endmacro %}


{% macro threshold(name) %}
    {#- A number of the seed `thresholds`. -#}
    (select value from {{ ref('thresholds') }} where threshold = '{{ name }}')
{%- endmacro %}


{% macro sorted_texts(expression) %}
    {#- The texts of a group in order, with a space between two. -#}
    {{- return(adapter.dispatch('sorted_texts')(expression)) -}}
{% endmacro %}


{% macro default__sorted_texts(expression) -%}
    array_to_string(list_sort(array_agg({{ expression }})), ' ')
{%- endmacro %}


{% macro spark__sorted_texts(expression) -%}
    array_join(sort_array(collect_list({{ expression }})), ' ')
{%- endmacro %}


{% macro shared_categories() %}
    {#- The categories of products whose share is a feature, by id. Categories with a higher
        id, which many fits have to make, count in the total only. -#}
    {{- return(range(1, 21)) -}}
{% endmacro %}


{% macro shared_category_features() %}
    {#- The names of the features that are shares of categories. -#}
    {%- set names = [] -%}
    {%- for category in shared_categories() -%}
        {%- do names.append('category_' ~ category ~ '_share') -%}
    {%- endfor -%}
    {{- return(names) -}}
{% endmacro %}


{% macro category_share(category) %}

    {#- The share of a category in a customer's spend on all categories, as if the customer
        had made five more purchases of one category each, spread evenly over the
        categories: one purchase is no taste. What was returned is no taste either, and not a negative one. -#}

    (
        sum(category_totals.purchases)
        * coalesce(
            {{ ratio(
                'sum(case when category_totals.category_id = ' ~ category
                ~ ' then greatest(category_totals.spend, 0) else 0 end)',
                'sum(greatest(category_totals.spend, 0))'
            ) }},
            max(even_shares.even_share_{{ category }})
        )
        + 5 * max(even_shares.even_share_{{ category }})
    ) / (sum(category_totals.purchases) + 5)

{%- endmacro %}
