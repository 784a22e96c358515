{% macro source_systems() %}

    {#- The source systems of this build. -#}

    {{- return(var('source_systems')) -}}

{% endmacro %}


{% macro union_source_systems(relation) %}

    {#- The rows of a conformed relation from all source systems of this build, with the
        columns and types of `conformed_columns`. No rows if no source system has the
        relation. -#}

    {%- set providers = [] -%}
    {%- for source_system in source_systems()
        if relation in var('source_system_catalog')[source_system]['relations'] -%}
        {%- do providers.append(ref('int_' ~ source_system ~ '__' ~ relation)) -%}
    {%- endfor -%}
    {%- set columns = conformed_columns(relation) -%}

    {%- for provider in providers %}
    select
        {{ typed(columns) }}

    from {{ provider }}
    {{ 'union all' if not loop.last }}
    {%- else %}
    {{ no_rows(columns) }}
    {%- endfor %}

{% endmacro %}


{% macro conformed_columns(relation) %}

    {#- The columns and types of the conformed relations: the one place that defines
        them. -#}

    {{- return({
        'customers': {
            'customer_key': 'string',
            'source_system': 'string',
            'customer_id': 'string',
            'joined_at': 'timestamp',
            'gender': 'string',
            'city': 'string',
            'country': 'string',
            'age': 'int',
            'annual_income': 'decimal(18, 2)',
            'spending_score': 'int',
        },
        'transactions': {
            'transaction_key': 'string',
            'source_system': 'string',
            'customer_key': 'string',
            'branch_key': 'string',
            'transacted_at': 'timestamp',
            'completed_at': 'timestamp',
            'status': 'string',
            'coupon_code': 'string',
            'amount': 'decimal(18, 2)',
        },
        'transaction_lines': {
            'transaction_line_key': 'string',
            'source_system': 'string',
            'transaction_key': 'string',
            'product_key': 'string',
            'is_product': 'boolean',
            'description': 'string',
            'quantity': 'bigint',
            'unit_price': 'decimal(18, 4)',
            'amount': 'decimal(18, 2)',
        },
        'products': {
            'product_key': 'string',
            'source_system': 'string',
            'product_id': 'string',
            'product_name': 'string',
            'category': 'string',
            'is_product': 'boolean',
        },
        'branches': {
            'branch_key': 'string',
            'source_system': 'string',
            'branch_id': 'string',
            'merchant_key': 'string',
        },
        'merchants': {
            'merchant_key': 'string',
            'source_system': 'string',
            'merchant_id': 'string',
            'merchant_name': 'string',
        },
    }[relation]) -}}

{% endmacro %}


{% macro entity_key(source_system, id) -%}
    '{{ source_system }}:' || {{ id }}
{%- endmacro %}


{% macro key_part(text) -%}
    {#- A text as one of several parts of a key: `1:2` and `3` is not `1` and `2:3`. -#}
    replace(
        replace({{ text }}, chr(92), chr(92) || chr(92)), ':', chr(92) || ':'
    )
{%- endmacro %}


{% macro as_of_date(source_system, default) %}

    {#- The as-of date of a source system: the var `as_of_date`, or the default given
        where the var has no date for the source system. -#}

    {%- set as_of_date = var('as_of_date') -%}
    {%- if as_of_date is mapping and as_of_date -%}
    case {{ source_system }}
        {%- for name, date in as_of_date.items() %}
        when '{{ name }}' then cast('{{ date }}' as date)
        {%- endfor %}
        else {{ default }}
    end
    {%- elif as_of_date -%}
    cast('{{ as_of_date }}' as date)
    {%- else -%}
    {{ default }}
    {%- endif -%}

{% endmacro %}
