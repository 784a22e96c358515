{#- a view of so many columns is longer than a metastore's text may be -#}
{{ config(materialized='table') }}
{%- set numeric_features = numeric_features() -%}
{%- set sums = [
    'customers', 'median', 'total', 'squares', 'scaled', 'scaled_squares',
] -%}
with

customer_clusters as (

    select * from {{ ref('customer_clusters') }}

),

customer_features as (

    select * from {{ ref('customer_features') }}

),

-- who was left out is in no segment
segmented as (

    select
        {% for feature in numeric_features -%}
        cast(customer_features.{{ feature }} as double) as {{ feature }},
        {% endfor -%}
        customer_clusters.segmentation,
        customer_clusters.segment_id

    from customer_clusters
    inner join customer_features
        on customer_clusters.customer_key = customer_features.customer_key
    where customer_clusters.segment_id is not null

),

scaled as (

    select
        {% for feature in numeric_features -%}
        {{ on_declared_scale(feature, feature) }} as {{ feature }}_scaled,
        {% endfor -%}
        *

    from segmented

),

-- all features in one pass over the customers
summed_to_segments as (

    select
        {% for feature in numeric_features -%}
        count({{ feature }}) as {{ feature }}_customers,
        median({{ feature }}) as {{ feature }}_median,
        {{ exact_sum(feature) }} as {{ feature }}_total,
        {{ exact_sum(feature ~ ' * ' ~ feature) }} as {{ feature }}_squares,
        {{ exact_sum(feature ~ '_scaled') }} as {{ feature }}_scaled,
        {{ exact_sum(feature ~ '_scaled * ' ~ feature ~ '_scaled') }}
            as {{ feature }}_scaled_squares,
        {% endfor -%}
        segmentation,
        segment_id

    from scaled
    group by segmentation, segment_id

),

features as (

    {% for feature in numeric_features -%}
    select '{{ feature }}' as feature
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

unpivoted as (

    select
        {% for sum in sums -%}
        case features.feature
            {% for feature in numeric_features -%}
            when '{{ feature }}' then summed_to_segments.{{ feature }}_{{ sum }}
            {% endfor -%}
        end as {{ sum }},
        {% endfor -%}
        summed_to_segments.segmentation,
        summed_to_segments.segment_id,
        features.feature

    from summed_to_segments
    cross join features

)

select * from unpivoted
