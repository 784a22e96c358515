{% macro declared_segmentations() %}

    {#- The segmentations of this build: those whose source system is switched on. -#}

    {%- set declared = [] -%}
    {%- set all = var('segmentations') or {} -%}
    {#- int_segmentation__candidates reports a wrong declaration -#}
    {%- for name, declaration in (all.items() if all is mapping else [])
        if declaration is mapping
        and declaration.source_system in source_systems() -%}
        {%- do declared.append(dict(declaration, name=name)) -%}
    {%- endfor -%}
    {{- return(declared) -}}

{% endmacro %}


{% macro shipped_segmentations() %}

    {#- The segmentations of `vars.yml`, which have columns of their own in `customer_360`:
        its contract lists them, so it cannot follow a var. One that is switched off leaves
        its columns empty. -#}

    {{- return([
        'online_retail_value',
        'online_retail_behaviour',
        'online_retail_taste',
        'marketplace_coupons',
        'mall_income_score',
        'mall_profile',
    ]) -}}

{% endmacro %}


{% macro shipped_segment_columns() %}

    {#- What `customer_360` says of the segment in each of them: the name of the column, the
        segmentation, and the column that it comes from. -#}

    {%- set columns = [] -%}
    {%- for segmentation in shipped_segmentations() -%}
        {%- for column in ('segment_id', 'segment_name', 'confidence', 'verdict', 'rule') -%}
            {%- do columns.append([segmentation ~ '_' ~ column, segmentation, column]) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(columns) -}}

{% endmacro %}


{% macro segments_side_by_side() %}
    {#- One column for each row of a customer, of the segmentations that ship. -#}
    {%- for name, segmentation, column in shipped_segment_columns() %}
    max(case when segmentation = '{{ segmentation }}' then {{ column }} end) as {{ name }}
    {{- ',' if not loop.last }}
    {%- endfor %}
{% endmacro %}


{% macro nulls_beaten() %}
    {#- Number of kinds of null data that a candidate beats. -#}
    case
        when
            structure_p_value <= {{ threshold('significance') }}
            and correlation_p_value <= {{ threshold('significance') }}
            then 2
        when structure_p_value <= {{ threshold('significance') }} then 1
        else 0
    end
{%- endmacro %}


{% macro segmentation_verdict() %}
    {#- The verdict on a candidate, by the columns that a row has. -#}
    case
        when
            nulls_beaten = 2 and has_gaps and is_large_enough
            and stability_mean >= {{ threshold('strong_mean_stability') }}
            and stability_min >= {{ threshold('strong_min_stability') }}
            then 'strong'
        when nulls_beaten >= 1 or has_gaps then 'weak'
        else 'none'
    end
{%- endmacro %}


{% macro declared_features() %}

    {#- A row per segmentation and feature, with the position of the feature in the
        declaration, and whether it is compared on a log scale: a declaration with a
        transform that shortens tails asks for it, or a few wholesalers would hide all
        other differences. -#}

    {%- for segmentation in declared_segmentations() %}
    {%- set is_last_segmentation = loop.last -%}
    {%- for feature in segmentation.features %}
    select
        '{{ segmentation.name }}' as segmentation,
        '{{ segmentation.source_system }}' as source_system,
        '{{ feature.name }}' as feature,
        {{ (feature.transform == 'onehot') | lower }} as is_categorical,
        {{ (feature.transform in ('log', 'power', 'quantile')) | lower }} as is_log_scaled,
        {{ loop.index }} as declared_position
    {{ 'union all' if not (loop.last and is_last_segmentation) }}
    {%- endfor %}
    {%- else %}
    {{ no_rows({
        'segmentation': 'string',
        'source_system': 'string',
        'feature': 'string',
        'is_categorical': 'boolean',
        'is_log_scaled': 'boolean',
        'declared_position': 'int',
    }) }}
    {%- endfor %}

{% endmacro %}


{% macro categorical_features() %}

    {#- The features that a segmentation of this build declares as categories. -#}

    {%- set features = [] -%}
    {%- for segmentation in declared_segmentations() -%}
        {%- for feature in segmentation.features
            if feature.transform == 'onehot' and feature.name not in features -%}
            {%- do features.append(feature.name) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(features) -}}

{% endmacro %}


{% macro profiled_features() %}

    {#- The numbers that segments are profiled by: those of `customer_features`, and those
        that a segmentation declares. -#}

    {%- set declared = [] -%}
    {%- for segmentation in declared_segmentations() -%}
        {%- do declared.extend(segmentation.features | map(attribute='name')) -%}
    {%- endfor -%}
    {%- set features = [] -%}
    {%- for name, data_type in contract_of('int_features__customer_days').items()
        if data_type.split('(')[0] in ('int', 'bigint', 'double', 'decimal')
        and (name in declared or name in contract_of('customer_features')) -%}
        {%- do features.append(name) -%}
    {%- endfor -%}
    {{- return(features) -}}

{% endmacro %}


{% macro exact_sum(expression) %}
    {#- A sum of doubles depends on their order; a sum of decimals does not. -#}
    sum(cast({{ expression }} as decimal(38, 9)))
{%- endmacro %}


{% macro standard_deviation(row_count, total, squares) %}
    {#- The standard deviation from the number of values, their sum and the sum of their
        squares. Rounding of equal values counts as zero. -#}
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
