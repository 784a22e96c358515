{% macro distinct_rows(relation, columns) %}

    {#- A CTE with the distinct raw rows of a relation, and how many `copies` of each it
        has. -#}

distinct_rows as (

    select
        {{ columns | join(',\n        ') }},
        count(*) as copies

    from {{ relation }}
    group by
        {{ columns | join(',\n        ') }}

)

{%- endmacro %}


{% macro raw_values(columns) %}
    {#- The raw row as a struct, with its columns in the order given. -#}
    {{- return(adapter.dispatch('raw_values')(columns)) -}}
{% endmacro %}

{% macro default__raw_values(columns) -%}
    struct_pack(
        {%- for column in columns %}
        {{ column }} := cast({{ column }} as string){{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{% macro spark__raw_values(columns) -%}
    named_struct(
        {%- for column in columns %}
        '{{ column }}', cast({{ column }} as string){{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}


{% macro raw_json(raw_values) -%}
    {#- The raw row as a JSON object, nulls included. -#}
    {{- return(adapter.dispatch('raw_json')(raw_values)) -}}
{%- endmacro %}

{% macro default__raw_json(raw_values) -%}
    cast(to_json({{ raw_values }}) as string)
{%- endmacro %}

{% macro spark__raw_json(raw_values) -%}
    to_json({{ raw_values }}, map('ignoreNullFields', 'false'))
{%- endmacro %}


{% macro one_row_per_copy(copies) -%}
    {#- In a select: each row as often as it has copies, with their numbers from 1. -#}
    {{- return(adapter.dispatch('one_row_per_copy')(copies)) -}}
{%- endmacro %}

{% macro default__one_row_per_copy(copies) -%}
    unnest(range(1, {{ copies }} + 1))
{%- endmacro %}

{% macro spark__one_row_per_copy(copies) -%}
    explode(sequence(1, cast({{ copies }} as int)))
{%- endmacro %}


{% macro flagged(relation, reasons, key=none) %}

    {#- CTEs that add to every typed row `is_usable`, `reasons` (empty for a usable row),
        `copy_number` and `raw_record` (null for a usable row). The last CTE is `flagged`.
        The relation given has the distinct raw rows, each with its `raw_values` and its
        number of `copies`.

        Of identical raw rows, one is usable. Of rows with the same key, the one whose raw
        row sorts first is usable, so that the order of the rows changes nothing. -#}

copies_numbered as (

    select
        *,
        {{ one_row_per_copy('copies') }} as copy_number

    from {{ relation }}

),

rows_checked as (

    select
        *,
        concat_ws(
            ', ',
            {%- for reason, condition in reasons.items() %}
            case when {{ condition }} then '{{ reason }}' end,
            {%- endfor %}
            case when copy_number > 1 then 'exact_duplicate' end
        ) as row_reasons

    from copies_numbered

),
{% if key %}
keys_numbered as (

    select
        *,
        row_number() over (
            partition by {{ key }}, row_reasons = '' order by {{ raw_json('raw_values') }}, copy_number
        ) as key_number

    from rows_checked

),

keys_checked as (

    select
        *,
        case
            when row_reasons = '' and key_number > 1 then 'duplicate_key'
            else row_reasons
        end as reasons

    from keys_numbered

),
{% else %}
keys_checked as (

    select
        *,
        row_reasons as reasons

    from rows_checked

),
{% endif %}
flagged as (

    select
        *,
        (reasons = '') as is_usable,
        case when reasons <> '' then {{ raw_json('raw_values') }} end as raw_record

    from keys_checked

)

{%- endmacro %}
