{% macro declared_segmentations() %}

    {#- The segmentations of this build: those whose source system is switched on. -#}

    {%- set declared = [] -%}
    {%- set all = var('segmentations') or {} -%}
    {#- what is declared wrongly gets its error from int_segmentation__candidates -#}
    {%- for name, declaration in (all.items() if all is mapping else [])
        if declaration is mapping
        and declaration.source_system in source_systems() -%}
        {%- do declared.append(dict(declaration, name=name)) -%}
    {%- endfor -%}
    {{- return(declared) -}}

{% endmacro %}


{% macro declared_features() %}

    {#- A row per segmentation and feature, with the feature's place in the declaration. -#}

    {%- for segmentation in declared_segmentations() %}
    {%- set is_last_segmentation = loop.last -%}
    {%- for feature in segmentation.features %}
    select
        '{{ segmentation.name }}' as segmentation,
        '{{ feature.name }}' as feature,
        {{ (feature.transform == 'onehot') | lower }} as is_categorical,
        {{ loop.index }} as declared_position
    {{ 'union all' if not (loop.last and is_last_segmentation) }}
    {%- endfor %}
    {%- else %}
    {{ no_rows({
        'segmentation': 'string',
        'feature': 'string',
        'is_categorical': 'boolean',
        'declared_position': 'int',
    }) }}
    {%- endfor %}

{% endmacro %}


{% macro no_rows(columns) %}

    {#- A relation without rows, of the types given. -#}

    select
        {%- for name, data_type in columns.items() %}
        cast(null as {{ data_type }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}

    where 1 = 0

{%- endmacro %}


{% macro segmentations_by_feature(transforms) %}

    {#- Which segmentations declare a feature with one of the transforms. -#}

    {%- set found = {} -%}
    {%- for segmentation in declared_segmentations() -%}
        {%- for feature in segmentation.features
            if feature.transform in transforms -%}
            {%- do found.setdefault(feature.name, []).append(segmentation.name) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(found) -}}

{% endmacro %}


{% macro numeric_features() %}

    {#- The columns of `customer_features` that are numbers, by its contract: the graph,
        which dbt has when it executes. -#}

    {%- set features = [] -%}
    {%- for node in (graph.nodes.values() if execute else [])
        if node.name == 'customer_features' -%}
        {%- for column in node.columns.values()
            if (column.data_type or '').split('(')[0] in (
                'int', 'bigint', 'double', 'decimal'
            ) -%}
            {%- do features.append(column.name) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(features) -}}

{% endmacro %}


{% macro on_declared_scale(column, feature) %}

    {#- A feature as its segmentation compares customers by it: on a log scale where the
        declaration takes the tail off it. A handful of wholesalers would hide all other
        differences otherwise. -#}

    {%- set tailed = segmentations_by_feature(['log', 'power', 'quantile'])
        .get(feature, []) -%}
    {%- if tailed -%}
    case
        when segmentation in ('{{ tailed | join("', '") }}')
            then sign({{ column }}) * ln(1 + abs({{ column }}))
        else {{ column }}
    end
    {%- else -%}
    {{ column }}
    {%- endif -%}

{% endmacro %}


{% macro exact_sum(expression) %}
    {#- A sum of doubles depends on their order; one of decimals does not. -#}
    sum(cast({{ expression }} as decimal(38, 9)))
{%- endmacro %}


{% macro spread(row_count, total, squares) %}
    {#- The standard deviation from a number of values, their sum and that of their
        squares; what is left of equal values by rounding is none. -#}
    case
        when
            {{ ratio(squares, row_count) }} - power({{ ratio(total, row_count) }}, 2)
            > 1e-12 * power({{ ratio(total, row_count) }}, 2)
            then
                sqrt(
                    {{ ratio(squares, row_count) }}
                    - power({{ ratio(total, row_count) }}, 2)
                )
        when {{ row_count }} > 0 then 0
    end
{%- endmacro %}


{% macro typed(columns) %}

    {#- Columns of what Python returned, in the types of a contract: a frame without rows
        knows no types. -#}

    {%- for name, data_type in columns.items() %}
    cast({{ name }} as {{ data_type }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}

{% endmacro %}
