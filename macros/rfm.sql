{% macro is_between_cut_points(value, cut_points) -%}
    {#- Whether a value lies above the lower and up to the upper bound of a row of
        `rfm_cut_points`. A bound of null is no bound; a value of null lies nowhere. -#}
    {{ value }} is not null
    and ({{ cut_points }}.above is null or {{ value }} > {{ cut_points }}.above)
    and ({{ cut_points }}.up_to is null or {{ value }} <= {{ cut_points }}.up_to)
{%- endmacro %}
