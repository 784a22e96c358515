{% macro text(column) %}
    {#- The text of a raw column without its padding; null where nothing is left. -#}
    nullif(trim(cast({{ column }} as string)), '')
{%- endmacro %}


{% macro known_text(column) %}
    {#- The text of a raw column; null where it says that it is missing. -#}
    case
        when
            lower(trim(cast({{ column }} as string)))
            not in ('', '?', '-', 'na', 'n/a', 'nan', 'null', 'none')
            then trim(cast({{ column }} as string))
    end
{%- endmacro %}


{% macro identifier(column) %}
    {#- The known text of an id, without the `.0` that a numeric column with gaps gives it. -#}
    case
        when
            trim(cast({{ column }} as string)) like '%.0'
            and try_cast({{ column }} as decimal(38, 1)) is not null
            then
                substr(
                    trim(cast({{ column }} as string)),
                    1,
                    length(trim(cast({{ column }} as string))) - 2
                )
        else {{ known_text(column) }}
    end
{%- endmacro %}


{% macro number(column) %}
    {#- A number to four decimals; null where the text is none. Never infinite or NaN. -#}
    try_cast({{ known_text(column) }} as decimal(18, 4))
{%- endmacro %}


{% macro whole_number(expression, data_type) %}
    {#- The nearest whole number; a cast rounds on DuckDB, and cuts off on Spark. -#}
    try_cast(round({{ expression }}, 0) as {{ data_type }})
{%- endmacro %}


{% macro money(expression) %}
    {#- Null where the text is not an amount of money. -#}
    try_cast({{ expression }} as decimal(18, 2))
{%- endmacro %}


{% macro is_unreadable(column, parsed) %}
    {#- There is a text, and it could not be read. -#}
    ({{ known_text(column) }} is not null and {{ parsed }} is null)
{%- endmacro %}


{% macro timestamp_from_text(column) %}
    {#- ISO 8601, or the month-first `12/1/2010 8:26` that spreadsheets write; null for a
        year of two digits and for infinity, which are no dates of a shop. -#}
    case
        when
            {{ adapter.dispatch('timestamp_from_text')(column) }}
            between cast('1900-01-01' as timestamp) and cast('2199-12-31' as timestamp)
            then {{ adapter.dispatch('timestamp_from_text')(column) }}
    end
{%- endmacro %}

{% macro default__timestamp_from_text(column) -%}
    coalesce(
        try_cast({{ text(column) }} as timestamp),
        try_strptime(
            {{ text(column) }},
            ['%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y']
        )
    )
{%- endmacro %}

{% macro spark__timestamp_from_text(column) -%}
    coalesce(
        try_to_timestamp({{ text(column) }}),
        try_to_timestamp({{ text(column) }}, 'M/d/yyyy H:mm'),
        try_to_timestamp({{ text(column) }}, 'M/d/yyyy H:mm:ss'),
        try_to_timestamp({{ text(column) }}, 'M/d/yyyy')
    )
{%- endmacro %}
