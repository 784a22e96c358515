{% test expression_is_true(model, expression) %}

    {#- No row contradicts the expression; null contradicts nothing. -#}

select *
from {{ model }}
where not ({{ expression }})

{% endtest %}
