{% macro ratio(numerator, denominator) %}
    {#- Divides exact sums once, so that the order of the rows changes nothing; null where
        there is nothing to divide by. -#}
    cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0)
{%- endmacro %}


{% macro day_of_week(column) %}
    {#- From 1 (Monday) to 7. The engines number weekdays each in their own way, so this
        counts days from a Monday that no date of ours precedes. -#}
    (mod({{ dbt.datediff("cast('1900-01-01' as date)", column, 'day') }}, 7) + 1)
{%- endmacro %}


{% macro lookback_columns() %}
    {#- What `int_features__lookbacks` measures, by its windows, quarters and half-lives. -#}
    {%- set columns = [] -%}
    {%- for days in [30, 90, 180, 365] -%}
        {%- do columns.extend(['purchases_' ~ days, 'spend_' ~ days]) -%}
    {%- endfor -%}
    {%- for number in [1, 2, 3, 4] -%}
        {%- do columns.extend(['purchases_quarter_' ~ number, 'spend_quarter_' ~ number]) -%}
    {%- endfor -%}
    {%- for days in [30, 90, 180] -%}
        {%- do columns.extend(['decayed_purchases_' ~ days, 'decayed_spend_' ~ days]) -%}
    {%- endfor -%}
    {{- return(columns + [
        'autumn_purchases', 'autumn_spend', 'gross_spend_365', 'largest_purchase',
    ]) -}}
{% endmacro %}
