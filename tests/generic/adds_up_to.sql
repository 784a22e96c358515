{% test adds_up_to(model, column_name, to, source_system) %}

    {#- A relation has as many rows of a source system as the model, of the same sum. -#}

with

here as (

    select
        count(*) as row_count,
        sum({{ column_name }}) as total

    from {{ model }}

),

there as (

    select
        count(*) as row_count,
        sum({{ column_name }}) as total

    from {{ to }}
    where source_system = '{{ source_system }}'

)

select
    here.row_count,
    here.total,
    there.row_count as other_row_count,
    there.total as other_total

from here
cross join there
where
    here.row_count <> there.row_count
    or here.total is distinct from there.total

{% endtest %}
