{% test expression_is_true(model, expression) %}

    {#- The expression is true or null for every row. -#}

select *
from {{ model }}
where not ({{ expression }})

{% endtest %}
