{% macro ref() %}

    {#- dbt's own `ref`. -#}

    {{- return(named_in_views(builtins.ref(*varargs, **kwargs))) -}}

{% endmacro %}


{% macro named_in_views(relation) %}

    {#- A relation as a model writes it. DuckDB keeps the text of a view, and names a database
        after its file: a view that named the database would break in a renamed copy. -#}

    {%- if execute and model is defined and model.config.materialized == 'view'
        and not relation.is_cte -%}
        {{- return(relation.include(database=false)) -}}
    {%- endif -%}
    {{- return(relation) -}}

{% endmacro %}


{% macro source(source_name, table_name) %}

    {#- A raw table, from the landing zone or from the warehouse schema that the var
        `source_schemas` names. Calling dbt's own `source` keeps the lineage. -#}

    {%- set relation = builtins.source(source_name, table_name) -%}

    {#- in a unit test, the relation is a CTE -#}
    {%- if relation.is_cte or source_name in var('source_schemas') -%}
        {{- return(named_in_views(relation)) -}}
    {%- else -%}
        {%- set folder = landing_folder(source_name, table_name) -%}
        {#- campaigns are optional: what has not landed has no rows. A version has rows -#}
        {%- set is_version = modules.re.search(
            '/[.]versions/campaigns-[0-9a-f]{12}/', folder
        ) -%}
        {%- if execute and source_name == 'campaigns' and not is_version
            and not folder_has_files(folder) -%}
            {{- return('(' ~ no_rows(source_columns(source_name, table_name)) ~ ')') -}}
        {%- endif -%}
        {{- return(parquet_folder(folder)) -}}
    {%- endif -%}

{% endmacro %}


{% macro source_columns(source_name, table_name) %}
    {#- The columns of a raw table, all of them text. -#}
    {%- set columns = {} -%}
    {%- for node in graph.sources.values()
        if node.source_name == source_name and node.name == table_name -%}
        {%- for column in node.columns -%}
            {%- do columns.update({column: 'string'}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(columns) -}}
{% endmacro %}


{% macro landing_zone() %}
    {{- return(env_var('CUSTOMER_SEGMENTATION_LANDING', 'data/landing')) -}}
{% endmacro %}


{% macro landing_folder(source_name, table_name) %}

    {#- The landed files of a raw table. All of a build are of one version of the source
        system, also if another one lands meanwhile. dbt parses without it, so that it keeps
        no version for the next build. -#}

    {%- if not execute -%}
        {{- return(landing_zone() ~ '/' ~ source_name ~ '/' ~ table_name) -}}
    {%- endif -%}
    {%- set folder = adapter.dispatch('folder_in_build')(landing_zone(), source_name) -%}
    {{- return(folder ~ '/' ~ table_name) -}}

{% endmacro %}

{% macro default__folder_in_build(zone, source_name) %}
    {%- set found = run_query(
        'select folder_in_build(' ~ quoted(zone) ~ ', ' ~ quoted(source_name) ~ ', '
        ~ quoted(invocation_id) ~ ', ' ~ quoted(flags.WHICH or '') ~ ')'
    ) -%}
    {{- return(found.columns[0].values()[0]) -}}
{% endmacro %}

{% macro spark__folder_in_build(zone, source_name) %}
    {{- return(adapter.folder_in_build(zone, source_name, invocation_id, flags.WHICH or '')) -}}
{% endmacro %}


{% macro parquet_folder(folder) %}
    {{- return(adapter.dispatch('parquet_folder')(folder)) -}}
{% endmacro %}

{% macro default__parquet_folder(folder) %}
    {#- a folder such as `shop=1` is no column -#}
    {{- return(
        "read_parquet('" ~ pattern_of_path(folder) | replace("'", "''")
        ~ "/*.parquet', hive_partitioning = false)"
    ) -}}
{% endmacro %}

{% macro spark__parquet_folder(folder) %}
    {{- return("parquet.`" ~ pattern_of_path(folder) | replace('`', '``') ~ "`") -}}
{% endmacro %}


{% macro pattern_of_path(path) %}
    {#- A pattern that matches this path only: `shop[1]` would match `shop1`. -#}
    {{- return(adapter.dispatch('pattern_of_path')(path)) -}}
{% endmacro %}

{% macro default__pattern_of_path(path) %}
    {{- return(modules.re.sub('([*?[])', '[\\1]', path)) -}}
{% endmacro %}

{% macro spark__pattern_of_path(path) %}
    {{- return(modules.re.sub('([][*?{}\\\\])', '\\\\\\1', path)) -}}
{% endmacro %}


{% macro raw_column(source_name, table_name, column) %}

    {#- A column that is optional in a warehouse table, or null if the table does not have
        it. Landed files always have it. -#}

    {%- set columns = [column] -%}
    {%- if execute and source_name in var('source_schemas') -%}
        {%- set relation = builtins.source(source_name, table_name) -%}
        {%- set columns = adapter.get_columns_in_relation(relation)
            | map(attribute='name') | map('lower') | list -%}
    {%- endif -%}
    {{- column if column in columns else 'cast(null as string) as ' ~ column -}}

{% endmacro %}


{% macro collect_freshness(source, loaded_at_field, filter) %}

    {#- dbt's own query for source freshness, which reads the landing zone for source
        systems that are not in a warehouse schema. -#}

    {%- set relation = source -%}
    {%- if source.schema in var('source_system_catalog')
        and source.schema not in var('source_schemas').values() -%}
        {%- set relation = parquet_folder(
            landing_folder(source.schema, source.identifier)
        ) -%}
    {%- endif -%}

    {%- call statement('collect_freshness', fetch_result=true, auto_begin=false) -%}
    select
        max({{ loaded_at_field }}) as max_loaded_at,
        {{ current_timestamp() }} as snapshotted_at

    from {{ relation }}
    {{ 'where ' ~ filter if filter }}
    {%- endcall -%}
    {{- return(load_result('collect_freshness')) -}}

{% endmacro %}
