{{ config(group='segmentation') }}

-- a column that a measure has and the contract of int_features__customer_days lacks
-- would be measured, but not published
{%- set features = contract_of('int_features__customer_days') -%}
{%- set missing = [] -%}
{%- for measure in [
    ref('int_features__lifetime'), ref('int_features__purchases'),
    ref('int_features__habits'), ref('int_features__intervals'),
    ref('int_features__baskets'), ref('int_features__visits'),
    ref('int_features__lookbacks'), ref('int_features__recent_lines'),
] -%}
    {%- for column in (adapter.get_columns_in_relation(measure) if execute else [])
        if column.name not in features -%}
        {%- do missing.append((measure.identifier, column.name)) -%}
    {%- endfor -%}
{%- endfor %}
{% for measure, column in missing -%}
select
    '{{ measure }}' as measure,
    '{{ column }}' as feature,
    '{{ measure }} measures {{ column }}, which is no feature yet: add the column to'
    || ' int_features__customer_days in _features_intermediate__models.yml' as message
{{ 'union all' if not loop.last }}
{% else -%}
{{ no_rows({'measure': 'string', 'feature': 'string', 'message': 'string'}) }}
{% endfor %}
