{{ config(group='warehouse') }}

-- each raw table has as many rejected records as rows that cannot be used
with

rejected_records as (

    select * from {{ ref('rejected_records') }}

),

unusable_rows as (

    {% for source_system in source_systems() %}
    {%- for table in var('source_system_catalog')[source_system]['raw_tables'] %}
    select
        '{{ source_system }}' as source_system,
        '{{ table }}' as source_table,
        count(*) as row_count

    from {{ ref('stg_' ~ source_system ~ '__' ~ table) }}
    where not is_usable

    union all
    {% endfor %}
    {%- endfor %}
    select
        'campaigns' as source_system,
        'sends' as source_table,
        count(*) as row_count

    from {{ ref('stg_campaigns__sends') }}
    where not is_usable

),

rejected_rows as (

    select
        source_system,
        source_table,
        count(*) as row_count

    from rejected_records
    group by source_system, source_table

)

select
    unusable_rows.source_system,
    unusable_rows.source_table,
    unusable_rows.row_count,
    rejected_rows.row_count as rejected_records

from unusable_rows
full join rejected_rows
    on
        unusable_rows.source_system = rejected_rows.source_system
        and unusable_rows.source_table = rejected_rows.source_table
where
    coalesce(unusable_rows.row_count, 0) <> coalesce(rejected_rows.row_count, 0)
