{% macro ratio(numerator, denominator) %}
    {#- Divides exact sums once, so that the order of the rows changes nothing; null where
        there is nothing to divide by. -#}
    cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0)
{%- endmacro %}


{% macro total(expression, decimals=2) %}
    {#- A sum of decimals: the engines widen its type each in their own way. -#}
    cast(sum({{ expression }}) as decimal(38, {{ decimals }}))
{%- endmacro %}


{% macro day_of_week(column) %}
    {#- From 1 (Monday) to 7. The engines number weekdays each in their own way, so this
        counts days from a Monday that no date of ours precedes. -#}
    (mod({{ dbt.datediff("cast('1900-01-01' as date)", column, 'day') }}, 7) + 1)
{%- endmacro %}


{% macro lookbacks() %}
    {#- How far back `int_features__lookbacks` looks, in days: windows up to today, quarters
        (number, from above, up to), and half-lives. -#}
    {{- return({
        'windows': [30, 90, 180, 365],
        'quarters': [(1, 0, 91), (2, 91, 182), (3, 182, 273), (4, 273, 365)],
        'half_lives': [30, 90, 180],
    }) -}}
{% endmacro %}


{% macro lookback_columns() %}
    {#- The columns that `int_features__lookbacks` makes of them. -#}
    {%- set columns = [] -%}
    {%- for days in lookbacks().windows -%}
        {%- do columns.extend(['purchases_' ~ days, 'spend_' ~ days]) -%}
    {%- endfor -%}
    {%- for number, _, _ in lookbacks().quarters -%}
        {%- do columns.extend(['purchases_quarter_' ~ number, 'spend_quarter_' ~ number]) -%}
    {%- endfor -%}
    {%- for days in lookbacks().half_lives -%}
        {%- do columns.extend(['decayed_purchases_' ~ days, 'decayed_spend_' ~ days]) -%}
    {%- endfor -%}
    {{- return(columns + [
        'autumn_purchases', 'autumn_spend', 'gross_spend_365', 'largest_purchase',
    ]) -}}
{% endmacro %}
