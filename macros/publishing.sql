{% macro publish(results) %}

    {#- After a whole build whose tests passed, put the public tables where people read them.
        What must not be published is said in one line, and the last version stays. -#}

    {%- if execute and flags.WHICH == 'build' and not flags.EMPTY -%}
        {%- set reason = why_not_published(results) -%}
        {%- if reason -%}
            {%- do log('Not published: ' ~ reason, info=true) -%}
        {%- else -%}
            {%- do adapter.dispatch('publish_tables')(public_tables(), passed_tests(results)) -%}
            {%- do adapter.dispatch('mark_build')('published') -%}
        {%- endif -%}
    {%- endif -%}

{% endmacro %}


{% macro mark_build(step) %}

    {#- Mark that this build has begun or ended, and say if an earlier one has not ended: its
        tables are then of several builds. Publishing alone makes them whole for readers. -#}

    {%- if execute and flags.WHICH in ('build', 'run', 'seed') -%}
        {%- set warning = adapter.dispatch('mark_build')(step) -%}
        {%- if warning -%}
            {%- do log(warning, info=true) -%}
        {%- endif -%}
    {%- endif -%}

{% endmacro %}

{% macro default__mark_build(step) %}
    {%- set said = run_query(
        'select mark_build(' ~ quoted(target.path) ~ ', ' ~ quoted(invocation_id) ~ ', '
        ~ quoted(step) ~ ')'
    ) -%}
    {{- return(said.columns[0].values()[0]) -}}
{% endmacro %}

{% macro spark__mark_build(step) %}
    {#- Spark has no file for all of its tables, so nothing stands beside them. -#}
    {{- return('') -}}
{% endmacro %}


{% macro public_tables() %}
    {#- The nodes of the tables that people read, in the order of their names. -#}
    {%- set found = [] -%}
    {%- for node in graph.nodes.values()
        if node.config.enabled and (
            node.resource_type == 'seed'
            or (node.resource_type == 'model' and node.config.access == 'public')
        ) -%}
        {%- do found.append(node) -%}
    {%- endfor -%}
    {{- return(found | sort(attribute='name')) -}}
{% endmacro %}


{% macro why_not_published(results) %}

    {#- What a build lacks to be published, or nothing: all public tables built together, and
        all tests that read them, none of which failed. A database in memory has no place
        beside it. -#}

    {%- if target.path == ':memory:' -%}
        {{- return('the database of the build is in memory.') -}}
    {%- endif -%}
    {%- set statuses = {} -%}
    {%- for result in results -%}
        {%- do statuses.update({result.node.unique_id: result.status | string}) -%}
    {%- endfor -%}
    {%- set broken, missing = [], [] -%}
    {%- for name, status in statuses.items()
        if status in ('error', 'fail', 'skipped', 'runtime error') -%}
        {%- do broken.append(name.split('.')[2]) -%}
    {%- endfor -%}
    {%- set public = public_tables() | map(attribute='unique_id') | list -%}
    {%- for name in public if name not in statuses -%}
        {%- do missing.append(name.split('.')[2]) -%}
    {%- endfor -%}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'test' and node.config.enabled
        and node.unique_id not in statuses
        and node.depends_on.nodes and node.depends_on.nodes | reject('in', public) | list == [] -%}
        {%- do missing.append(node.name) -%}
    {%- endfor -%}
    {%- if broken -%}
        {{- return(broken | length ~ ' nodes failed or were skipped, ' ~ broken[0] ~ ' first.') -}}
    {%- elif missing -%}
        {{- return(
            'the build left out ' ~ missing | length ~ ' public tables and tests, such as '
            ~ missing[0] ~ '. Build without a selection.'
        ) -}}
    {%- endif -%}
    {{- return('') -}}

{% endmacro %}


{% macro passed_tests(results) %}
    {#- How many tests passed, and how many warned. -#}
    {%- set passed, warned = [], [] -%}
    {%- for result in results if result.node.resource_type in ('test', 'unit_test') -%}
        {%- do (warned if result.status | string == 'warn' else passed).append(1) -%}
    {%- endfor -%}
    {{- return({'passed': passed | length, 'warned': warned | length}) -}}
{% endmacro %}


{% macro default__publish_tables(tables, tests) %}

    {#- DuckDB lets nobody read a file that a build has open. So the tables are copied to
        another file, which takes the place of the last one in one step. -#}

    {%- set file = published_file() -%}
    {%- set version = run_started_at.strftime('%Y%m%dT%H%M%S') ~ '_' ~ invocation_id[:8] -%}
    {%- set folder = file.removesuffix('.duckdb') -%}
    {%- do run_query(
        "select publish_begin(" ~ quoted(file) ~ ", " ~ quoted(folder) ~ ", "
        ~ quoted(version) ~ ", " ~ quoted(target.path) ~ ")"
    ) -%}
    {%- set new_folder = folder ~ '/' ~ version ~ '.new/' -%}
    {#- an earlier build of this process may have failed while it published -#}
    {%- do run_query('detach database if exists _publication') -%}
    {%- do run_query(
        "attach " ~ quoted(file ~ '.' ~ version ~ '.new') ~ " as _publication"
    ) -%}
    {%- for node in tables -%}
        {%- do run_query(
            'create table ' ~ published_table(node.alias) ~ ' as select * from '
            ~ node.relation_name
        ) -%}
        {%- do describe_published(node) -%}
    {%- endfor -%}
    {%- do run_query(
        'create table ' ~ published_table('published_tables') ~ ' as '
        ~ rows_of_publication(tables, tests, version)
    ) -%}
    {%- for name in (tables | map(attribute='alias') | list) + ['published_tables'] -%}
        {%- do run_query(
            'copy ' ~ published_table(name) ~ ' to '
            ~ quoted(new_folder ~ name ~ '.parquet') ~ ' (format parquet)'
        ) -%}
    {%- endfor -%}
    {%- do run_query('detach _publication') -%}
    {%- do run_query("select publish_finish(" ~ quoted(version) ~ ")") -%}
    {%- do log('Published ' ~ tables | length ~ ' tables in ' ~ file, info=true) -%}

{% endmacro %}


{% macro published_file() %}
    {#- The file that people read: in a folder beside the database, if no other is named. -#}
    {%- set folder = target.path.rpartition('/')[0] if '/' in target.path else '.' -%}
    {%- set file = (
        env_var('CUSTOMER_SEGMENTATION_PUBLISHED', '') or folder ~ '/published/marts.duckdb'
    ) -%}
    {#- the Parquet files have a folder of the same name without the suffix -#}
    {%- if not modules.re.search('[^/][.]duckdb$', file) -%}
        {%- do exceptions.raise_compiler_error(
            'CUSTOMER_SEGMENTATION_PUBLISHED is ' ~ file
            ~ ": name a file that ends in '.duckdb'"
        ) -%}
    {%- endif -%}
    {{- return(file) -}}
{% endmacro %}


{% macro published_table(name) %}
    {#- A table of the file that is being written. No database of a build is likely to have
        the name of the attached one. -#}
    {{- return(api.Relation.create(
        database='_publication', schema='main', identifier=name
    ) | string) -}}
{% endmacro %}


{% macro describe_published(node) %}
    {#- The descriptions of a table and its columns, which BI tools show. -#}
    {%- do run_query(
        'comment on table ' ~ published_table(node.alias) ~ ' is '
        ~ quoted(node.description | trim)
    ) -%}
    {%- for column in node.columns.values() -%}
        {%- do run_query(
            'comment on column ' ~ published_table(node.alias) ~ '.'
            ~ adapter.quote(column.name) ~ ' is ' ~ quoted(column.description | trim)
        ) -%}
    {%- endfor -%}
{% endmacro %}


{% macro quoted(text) %}
    {{- return("'" ~ text | replace("'", "''") ~ "'") -}}
{% endmacro %}


{% macro rows_of_publication(tables, tests, version) %}
    {#- What is published: a row for each table, all of one version. -#}
    {%- set now = modules.datetime.datetime.now(modules.pytz.utc) -%}
    {% for node in tables %}
    select
        '{{ node.alias }}' as table_name,
        count(*) as row_count,
        '{{ version }}' as version,
        cast('{{ now.strftime('%Y-%m-%d %H:%M:%S') }}' as timestamp) as published_at,
        '{{ invocation_id }}' as build_id,
        {{ tests.passed }} as tests_passed,
        {{ tests.warned }} as tests_warned
    from {{ node.relation_name }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
{% endmacro %}
