{% macro raw_record(columns) %}
    {#- The raw row as a JSON object, with its columns in the order given. -#}
    {{- return(adapter.dispatch('raw_record')(columns)) -}}
{% endmacro %}

{% macro default__raw_record(columns) -%}
    cast(
        json_object(
            {%- for column in columns %}
            '{{ column }}', cast({{ column }} as string){{ ',' if not loop.last }}
            {%- endfor %}
        ) as string
    )
{%- endmacro %}

{% macro spark__raw_record(columns) -%}
    to_json(
        named_struct(
            {%- for column in columns %}
            '{{ column }}', cast({{ column }} as string){{ ',' if not loop.last }}
            {%- endfor %}
        ),
        map('ignoreNullFields', 'false')
    )
{%- endmacro %}


{% macro flagged(relation, reasons, key=none) %}

    {#- CTEs that add to every typed row `is_usable`, `reasons` (empty for a usable row),
        `copy_number` and `raw_record` (null for a usable row). The last CTE is `flagged`;
        the relation given has the raw row as JSON in `raw_row`.

        Of identical raw rows, one is usable. Of rows with the same key, the one whose raw
        row sorts first is usable, so that the order of the rows changes nothing. -#}

copies_numbered as (

    select
        *,
        row_number() over (
            partition by md5(raw_row) order by raw_row
        ) as copy_number

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
            partition by {{ key }}, row_reasons = '' order by raw_row, copy_number
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
        case when reasons <> '' then raw_row end as raw_record

    from keys_checked

)

{%- endmacro %}
