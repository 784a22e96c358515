{% macro duckdb__dispatch_temporary_relation(target_relation, batch_id) %}

    {#- Where an incremental model puts its new rows first. dbt-duckdb writes those of a
        Python model to a table of another name in each run, and never drops it: here it
        has one name, and is dropped as what is not temporary. -#}

    {%- if model.language == 'python' -%}
        {%- set relation = make_intermediate_relation(target_relation, '__dbt_new') -%}
        {%- do drop_relation_if_exists(load_cached_relation(relation)) -%}
        {{- return({'relation': relation, 'temporary': false}) -}}
    {%- endif -%}
    {{- return({'relation': make_temp_relation(target_relation), 'temporary': true}) -}}

{% endmacro %}
