with

rejected as (

    {% for source_system in source_systems() %}
    {%- for table in var('source_system_catalog')[source_system]['raw_tables'] %}
    select
        '{{ source_system }}' as source_system,
        '{{ table }}' as source_table,
        raw_record,
        reasons,
        copy_number

    from {{ ref('stg_' ~ source_system ~ '__' ~ table) }}
    where not is_usable

    union all
    {% endfor %}
    {%- endfor %}
    select
        'campaigns' as source_system,
        'sends' as source_table,
        raw_record,
        reasons,
        copy_number

    from {{ ref('stg_campaigns__sends') }}
    where not is_usable

),

keyed as (

    select
        *,
        source_system || ':' || source_table || ':' || md5(raw_record)
        || ':' || cast(copy_number as string) as rejected_record_key

    from rejected

),

rejected_records as (

    select
        rejected_record_key,
        source_system,
        source_table,
        raw_record,
        reasons

    from keyed

)

select * from rejected_records
