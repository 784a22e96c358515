{% test adds_up_to(model, column_name, to, source_system) %}

    {#- The model and the relation `to` have the same number of rows of a source system, and
        the same sum of the column. -#}

with

model_summed as (

    select
        count(*) as row_count,
        sum({{ column_name }}) as total

    from {{ model }}

),

other_summed as (

    select
        count(*) as row_count,
        sum({{ column_name }}) as total

    from {{ to }}
    where source_system = '{{ source_system }}'

)

select
    model_summed.row_count,
    model_summed.total,
    other_summed.row_count as other_row_count,
    other_summed.total as other_total

from model_summed
cross join other_summed
where
    model_summed.row_count <> other_summed.row_count
    or model_summed.total is distinct from other_summed.total

{% endtest %}
