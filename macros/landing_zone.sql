{% macro assert_landing_zone_is_filled() %}

    {#- Settle which landed versions this build reads. It is an error, before the first model,
        if a raw table of it has no file. -#}

    {%- if execute and flags.WHICH in ('build', 'run', 'test', 'seed') -%}
        {%- set missing = [] -%}
        {%- for node in graph.sources.values()
            if node.source_name in source_systems() + ['campaigns']
            and node.source_name not in var('source_schemas') -%}
            {%- set folder = landing_folder(node.source_name, node.name) -%}
            {#- campaigns are optional -#}
            {%- if node.source_name != 'campaigns' and not folder_has_files(folder) -%}
                {%- do missing.append(node.source_name ~ '.' ~ node.name) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if missing -%}
            {{ exceptions.raise_compiler_error(
                'The landing zone ' ~ landing_zone() ~ ' has no files for '
                ~ missing | sort | join(', ') ~ '. Land your files with'
                ~ ' `customer-segmentation land <source system> <file>...`, create sample'
                ~ ' data with `make sample`, or remove the source system from the var'
                ~ ' source_systems.'
                ~ (' On a cluster, the landing zone must be a path that all hosts can read.'
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
        "select count(*) from glob('" ~ pattern_of_path(folder) | replace("'", "''")
        ~ "/*.parquet')"
    ) -%}
    {{- return(files.columns[0].values()[0] > 0) -}}
{% endmacro %}

{% macro spark__folder_has_files(folder) %}
    {#- Spark SQL cannot list files, and the folder may be on another host, so the Spark
        session lists them. -#}
    {{- return(adapter.folder_has_parquet(pattern_of_path(folder))) -}}
{% endmacro %}
