{% macro duckdb__dispatch_temporary_relation(target_relation, batch_id) %}

    {#- The table that holds the new rows of an incremental model before they are merged.
        For a Python model, dbt-duckdb creates a table with a new name in every run and
        never drops it. Here the table has one name and is not temporary, so that dbt drops
        it. -#}

    {%- if model.language == 'python' -%}
        {%- set relation = make_intermediate_relation(target_relation, '__dbt_new') -%}
        {%- do drop_relation_if_exists(load_cached_relation(relation)) -%}
        {{- return({'relation': relation, 'temporary': false}) -}}
    {%- endif -%}
    {{- return({'relation': make_temp_relation(target_relation), 'temporary': true}) -}}

{% endmacro %}
