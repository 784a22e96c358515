{% test rows_are_staged_or_rejected(model, source_name, table_name) %}

    {#- No raw row is lost: raw rows = usable rows + rows with a reason. -#}

with

raw_rows as (

    select count(*) as row_count from {{ source(source_name, table_name) }}

),

typed_rows as (

    select
        count(*) filter (where is_usable) as usable_rows,
        count(*) filter (where reasons <> '') as rejected_rows

    from {{ model }}

)

select
    raw_rows.row_count as raw_rows,
    typed_rows.usable_rows,
    typed_rows.rejected_rows

from raw_rows
cross join typed_rows
where raw_rows.row_count <> typed_rows.usable_rows + typed_rows.rejected_rows

{% endtest %}
