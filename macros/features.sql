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
