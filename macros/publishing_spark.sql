{% macro spark__publish_tables(tables, tests) %}

    {#- People read views of one schema, over the tables of the last version, which have a
        schema of their own. All views ask one other view which version is live: to replace
        that one is the step in which all tables change together. -#}

    {%- set version = run_started_at.strftime('%Y%m%dt%H%M%S') ~ '_' ~ invocation_id[:8] -%}
    {%- do run_query('create schema if not exists ' ~ published_schema()) -%}
    {%- set live = live_version() -%}
    {%- do run_query('create schema ' ~ published_schema(version)) -%}
    {%- for node in tables -%}
        {%- do run_query(
            'create table ' ~ published_in(version, node.alias) ~ ' using parquet as select * from '
            ~ node.relation_name
        ) -%}
    {%- endfor -%}
    {%- do run_query(
        'create table ' ~ published_in(version, 'published_tables') ~ ' using parquet as '
        ~ rows_of_publication(tables, tests, version)
    ) -%}
    {%- set names = (tables | map(attribute='alias') | list) + ['published_tables'] -%}
    {%- if live -%}
        {%- set of_live = names_in('tables', published_schema(live)) -%}
        {%- for name in names -%}
            {%- do run_query(view_of_both(name, version, live, name in of_live)) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do show_version(tables, names, version) -%}
    {%- endif -%}
    {%- do run_query(
        'create or replace view ' ~ published_in('', 'published_version') ~ ' as select '
        ~ quoted(version) ~ ' as version'
    ) -%}
    {%- if live -%}
        {%- do show_version(tables, names, version) -%}
    {%- endif -%}
    {%- do forget_versions([version, live], names) -%}
    {%- do log(
        'Published ' ~ tables | length ~ ' tables in the schema ' ~ published_schema(),
        info=true
    ) -%}

{% endmacro %}


{% macro published_schema(version='') %}
    {#- The schema that people read, or the schema of one version of its tables. -#}
    {{- return(target.schema ~ '_published' ~ ('_' if version else '') ~ version) -}}
{% endmacro %}


{% macro published_in(version, name) %}
    {{- return('`' ~ published_schema(version) ~ '`.`' ~ name ~ '`') -}}
{% endmacro %}


{% macro names_in(kind, schema) %}
    {#- The names of the tables, or the views, of a schema. -#}
    {%- set rows = run_query('show ' ~ kind ~ ' in ' ~ schema).rows -%}
    {{- return(rows | map(attribute=1) | list) -}}
{% endmacro %}


{% macro live_version() %}
    {#- The version that people read, or nothing. -#}
    {%- if 'published_version' not in names_in('views', published_schema()) -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set rows = run_query('select version from ' ~ published_in('', 'published_version')).rows -%}
    {{- return(rows[0][0]) -}}
{% endmacro %}


{% macro columns_in(version, name) %}
    {#- The types of the columns of a table of a version, by their names. -#}
    {%- set types = {} -%}
    {%- for row in run_query('describe table ' ~ published_in(version, name)).rows -%}
        {%- do types.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {{- return(types) -}}
{% endmacro %}


{% macro view_of_both(name, version, live, is_in_live) %}

    {#- A view that reads the live version, whichever of two it is. Its columns are those of
        the new version; what the old one lacks is null. -#}

    {%- set types = columns_in(version, name) -%}
    {%- set old_types = columns_in(live, name) if is_in_live else {} -%}
    {%- set is_live = '(select version from ' ~ published_in('', 'published_version') ~ ') = ' -%}
    create or replace view {{ published_in('', name) }} as
    select * from {{ published_in(version, name) }}
    where {{ is_live }}{{ quoted(version) }}
    {% if is_in_live %}
    union all
    select
        {% for column, type in types.items() %}
        {{ '`' ~ column ~ '`' if old_types.get(column) == type else 'cast(null as ' ~ type ~ ')' }}
        as `{{ column }}`{{ ',' if not loop.last }}
        {% endfor %}
    from {{ published_in(live, name) }}
    where {{ is_live }}{{ quoted(live) }}
    {% endif %}

{% endmacro %}


{% macro show_version(tables, names, version) %}

    {#- Views of one version alone, with the descriptions of tables and columns. -#}

    {%- set nodes = {} -%}
    {%- for node in tables -%}
        {%- do nodes.update({node.alias: node}) -%}
    {%- endfor -%}
    {%- for name in names -%}
        {%- set described = [] -%}
        {%- set comments = nodes[name].columns if name in nodes else {} -%}
        {%- for column in columns_in(version, name) -%}
            {%- set comment = comments[column].description if column in comments else '' -%}
            {%- do described.append(
                '`' ~ column ~ '` comment ' ~ spark_text(comment)
            ) -%}
        {%- endfor -%}
        {%- do run_query(
            'create or replace view ' ~ published_in('', name) ~ ' (' ~ described | join(', ')
            ~ ') comment ' ~ spark_text(nodes[name].description if name in nodes else '')
            ~ ' as select * from ' ~ published_in(version, name)
        ) -%}
    {%- endfor -%}

{% endmacro %}


{% macro spark_text(text) %}
    {#- Spark joins 'it''s' to its, so a quote needs a backslash. -#}
    {%- set escaped = text | trim | replace('\\', '\\\\') | replace("'", "\\'") -%}
    {{- return("'" ~ escaped ~ "'") -}}
{% endmacro %}


{% macro forget_versions(kept, names) %}

    {#- Drop views of tables that are public no more, and all versions but the live one and
        the one before, which somebody may be reading still. -#}

    {%- for view in names_in('views', published_schema())
        if view not in names and view != 'published_version' -%}
        {%- do run_query('drop view ' ~ published_in('', view)) -%}
    {%- endfor -%}
    {%- set of_version = published_schema() ~ '_[0-9]{8}t[0-9]{6}_[0-9a-f]{8}' -%}
    {%- set kept_schemas = [] -%}
    {%- for version in kept if version -%}
        {%- do kept_schemas.append(published_schema(version)) -%}
    {%- endfor -%}
    {%- for row in run_query('show schemas').rows
        if row[0] not in kept_schemas and modules.re.fullmatch(of_version, row[0]) -%}
        {%- do run_query('drop schema ' ~ row[0] ~ ' cascade') -%}
    {%- endfor -%}

{% endmacro %}
