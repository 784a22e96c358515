{% test rows_are_staged_or_rejected(model, source_name, table_name) %}

    {#- No raw row is lost: raw rows = usable staged rows + rejected records. -#}

with

raw_rows as (

    select count(*) as row_count from {{ source(source_name, table_name) }}

),

usable_rows as (

    select count(*) as row_count from {{ model }}
    where is_usable

),

rejected_rows as (

    select count(*) as row_count
    from {{ ref('rejected_records') }}
    where source_system = '{{ source_name }}' and source_table = '{{ table_name }}'

)

select
    raw_rows.row_count as raw_rows,
    usable_rows.row_count as usable_rows,
    rejected_rows.row_count as rejected_rows

from raw_rows
cross join usable_rows
cross join rejected_rows
where raw_rows.row_count <> usable_rows.row_count + rejected_rows.row_count

{% endtest %}
