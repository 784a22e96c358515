{% macro contract_of(model_name) %}

    {#- The columns of a model and their types, as its YAML file lists them. dbt knows them
        when it executes, but not while it parses or runs a unit test. -#}

    {%- set columns = {} -%}
    {%- for node in (graph.get('nodes', {}).values() if execute else [])
        if node.resource_type == 'model' and node.name == model_name -%}
        {%- for column in node.columns.values() -%}
            {%- do columns.update({column.name: column.data_type or ''}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(columns) -}}

{% endmacro %}


{% macro columns_of(model_name) %}
    {#- The columns of a model, in the order of its YAML file, to select; a star where dbt
        does not know them. -#}
    {{- (contract_of(model_name) | join(', ')) or '*' -}}
{% endmacro %}


{% macro typed(columns) %}

    {#- Columns of a Python model in the types of a contract: a frame without rows has no
        types. -#}

    {%- for name, data_type in columns.items() %}
    cast({{ name }} as {{ data_type }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}

{% endmacro %}


{% macro no_rows(columns) %}

    {#- A relation without rows, of the given types. -#}

    select
        {%- for name, data_type in columns.items() %}
        cast(null as {{ data_type }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}

    where 1 = 0

{%- endmacro %}
