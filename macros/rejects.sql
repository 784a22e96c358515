{% macro raw_record(columns) %}
    {#- The raw row as a JSON object, in the order of the columns given. -#}
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

    {#- Says of every typed row why it cannot be used, in `reasons`: empty if it can be.
        Identical raw rows count once; of several usable rows with one key the one whose
        raw record sorts first is kept, so that the order of the rows does not matter. -#}

copies_numbered as (

    select
        *,
        row_number() over (
            partition by md5(raw_record) order by raw_record
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
            partition by {{ key }}, row_reasons = '' order by raw_record, copy_number
        ) as key_number

    from rows_checked

),

flagged as (

    select
        *,
        case
            when row_reasons = '' and key_number > 1 then 'duplicate_key'
            else row_reasons
        end as reasons

    from keys_numbered

)
{% else %}
flagged as (

    select
        *,
        row_reasons as reasons

    from rows_checked

)
{% endif %}

{%- endmacro %}


{% macro rejected_columns() %}
    {#- What `rejected_records` needs of a base model: nothing for a row that is used. -#}
    reasons,
    copy_number,
    case when reasons <> '' then raw_record end as raw_record
{%- endmacro %}
