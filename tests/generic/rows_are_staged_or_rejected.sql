{% test rows_are_staged_or_rejected(model, source_name, table_name) %}

    {#- Every raw row is staged or rejected: rows in = rows staged + rows rejected. -#}

with

raw_rows as (

    select count(*) as row_count from {{ source(source_name, table_name) }}

),

staged_rows as (

    select count(*) as row_count from {{ model }}

),

rejected_rows as (

    select count(*) as row_count
    from {{ ref('rejected_records') }}
    where source_system = '{{ source_name }}' and source_table = '{{ table_name }}'

)

select
    raw_rows.row_count as rows_in,
    staged_rows.row_count as rows_staged,
    rejected_rows.row_count as rows_rejected

from raw_rows
cross join staged_rows
cross join rejected_rows
where raw_rows.row_count <> staged_rows.row_count + rejected_rows.row_count

{% endtest %}
