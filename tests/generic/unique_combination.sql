{% test unique_combination(model, columns) %}

    {#- No two rows have the same values in all the columns. -#}

select
    {{ columns | join(', ') }},
    count(*) as row_count

from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
