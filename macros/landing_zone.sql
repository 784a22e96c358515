{% macro assert_landing_zone_is_filled() %}

    {#- Stops a build that has nothing to read before its first model, with one line that
        says what to do. -#}

    {%- if execute and flags.WHICH in ('build', 'run', 'test', 'seed') -%}
        {%- set missing = [] -%}
        {%- for node in graph.sources.values()
            if node.source_name in source_systems()
            and node.source_name not in var('source_schemas') -%}
            {%- set folder = landing_folder(node.source_name, node.name) -%}
            {%- if not folder_has_files(folder) -%}
                {%- do missing.append(node.source_name ~ '.' ~ node.name) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if missing -%}
            {{ exceptions.raise_compiler_error(
                'The landing zone ' ~ landing_folder('', '') | replace('//', '')
                ~ ' has no ' ~ missing | sort | join(', ')
                ~ ': fill it with `customer-segmentation land <source system> <file>...`'
                ~ ' (`make sample` simulates one), or take the source system out of the'
                ~ ' var source_systems.'
                ~ (' On a cluster it must be a path that all hosts see.'
                    if env_var('SPARK_REMOTE', '') else '')
            ) }}
        {%- endif -%}
    {%- endif -%}

{% endmacro %}


{% macro folder_has_files(folder) %}
    {{- return(adapter.dispatch('folder_has_files')(folder)) -}}
{% endmacro %}

{% macro default__folder_has_files(folder) %}
    {%- set files = run_query(
        "select count(*) from glob('" ~ folder | replace("'", "''") ~ "/*.parquet')"
    ) -%}
    {{- return(files.columns[0].values()[0] > 0) -}}
{% endmacro %}

{% macro spark__folder_has_files(folder) %}
    {#- Spark has no glob in SQL, and the folder may be another host's: its session looks. -#}
    {{- return(adapter.folder_has_parquet(folder)) -}}
{% endmacro %}
