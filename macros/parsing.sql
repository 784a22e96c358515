{% macro trimmed(column) %}
    {#- The text of a raw column without white space at its ends: `trim` alone leaves tabs
        and line ends. -#}
    trim(
        both ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)
        from cast({{ column }} as string)
    )
{%- endmacro %}


{% macro text(column) %}
    {#- The text of a raw column, trimmed; null if it is empty. -#}
    nullif({{ trimmed(column) }}, '')
{%- endmacro %}


{% macro known_text(column) %}
    {#- The text of a raw column, trimmed; null if it stands for a missing value. -#}
    case
        when
            lower({{ trimmed(column) }})
            not in ('', '?', '-', 'na', 'n/a', 'nan', 'null', 'none')
            then {{ trimmed(column) }}
    end
{%- endmacro %}


{% macro identifier(column) %}
    {#- The text of an id, without the `.0` of a numeric column that has nulls. There is a
        number before it: `.0` alone is an id. A cast to a wide decimal would take ten
        times as long. -#}
    case
        when
            {{ trimmed(column) }} like '%.0'
            and try_cast({{ without_separators(trimmed(column)) }} as double) is not null
            and right({{ trimmed(column) }}, 3) between '0.0' and '9.0'
            then
                substr(
                    {{ trimmed(column) }},
                    1,
                    length({{ trimmed(column) }}) - 2
                )
        else {{ known_text(column) }}
    end
{%- endmacro %}


{% macro number(column) %}
    {#- A number with four decimals; null if the text is not a number. Never infinite or
        NaN. -#}
    try_cast({{ without_separators(known_text(column)) }} as decimal(18, 4))
{%- endmacro %}


{% macro without_separators(text) -%}
    {#- A text that is no number if it has `_`, which DuckDB reads as in `1_000`. -#}
    replace({{ text }}, '_', 'x')
{%- endmacro %}


{% macro whole_number(expression, data_type) %}
    {#- The nearest whole number. A cast alone rounds on DuckDB and truncates on Spark. -#}
    try_cast(round({{ expression }}, 0) as {{ data_type }})
{%- endmacro %}


{% macro money(expression) %}
    {#- An amount of money with two decimals; null if it is too large. -#}
    try_cast({{ expression }} as decimal(18, 2))
{%- endmacro %}


{% macro is_unreadable(column, parsed) %}
    {#- Whether a raw column has a text that could not be parsed. -#}
    ({{ known_text(column) }} is not null and {{ parsed }} is null)
{%- endmacro %}


{% macro timestamp_from_text(column) %}
    {#- A timestamp from ISO 8601. An offset such as `-08` counts: the timestamp is in
        UTC, as landed Parquet files are. Null for any other text, and for years outside
        1900 to 2199, among them years of two digits and infinity. Landing has written
        dates such as `12/1/2010` as ISO 8601, because only all dates of a file tell
        their order. -#}
    case
        when
            {{ adapter.dispatch('timestamp_from_text')(column) }}
            between cast('1900-01-01' as timestamp) and cast('2199-12-31' as timestamp)
            then {{ adapter.dispatch('timestamp_from_text')(column) }}
    end
{%- endmacro %}

{% macro iso_pattern() -%}
    {#- What both engines read in the same way: each reads other texts too, Spark even
        `23:30` as today. No backslash, which Spark takes for an escape. -#}
    {%- set date = '[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}' -%}
    {%- set offset = '(Z| UTC|[-+][0-9]{2}(:?[0-9]{2})?)' -%}
    {%- set seconds = ':[0-9]{2}([.][0-9]+)?' ~ offset ~ '?' -%}
    {%- set time = '([01]?[0-9]|2[0-3]):[0-9]{2}(' ~ seconds ~ ')?' -%}
    '{{ date }}([ T]{{ time }})?'
{%- endmacro %}

{#- a cast to a timestamp alone would drop the offset; the session is in UTC -#}
{% macro default__timestamp_from_text(column) -%}
    case
        when regexp_full_match({{ text(column) }}, {{ iso_pattern() }})
            then try_cast(
                try_cast(replace({{ text(column) }}, '/', '-') as timestamptz)
                as timestamp
            )
    end
{%- endmacro %}

{% macro spark__timestamp_from_text(column) -%}
    case
        when {{ text(column) }} rlike '^' || {{ iso_pattern() }} || '$'
            then try_to_timestamp(replace({{ text(column) }}, '/', '-'))
    end
{%- endmacro %}


{% macro shop_time(column, time_zone) %}
    {#- A timestamp in the time of the shop. A text without an offset is the shop's own
        time; one with an offset is moved to its time zone. -#}
    case
        when
            {{ trimmed(column) }} like '%:%+%'
            or {{ trimmed(column) }} like '%:%-%'
            or {{ trimmed(column) }} like '%Z'
            or {{ trimmed(column) }} like '% UTC'
            then {{ adapter.dispatch('moved_from_utc')(
                timestamp_from_text(column), time_zone
            ) }}
        else {{ timestamp_from_text(column) }}
    end
{%- endmacro %}

{% macro default__moved_from_utc(timestamp, time_zone) -%}
    timezone('{{ time_zone }}', timezone('UTC', {{ timestamp }}))
{%- endmacro %}

{% macro spark__moved_from_utc(timestamp, time_zone) -%}
    from_utc_timestamp({{ timestamp }}, '{{ time_zone }}')
{%- endmacro %}
