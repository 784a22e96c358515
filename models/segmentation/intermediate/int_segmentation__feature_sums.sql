{{ config(materialized='table') }}

{%- set features = profiled_features() %}
with

assignments as (

    select * from {{ ref('int_segmentation__assignments') }}

),

customer_days as (

    select * from {{ ref('int_features__customer_days') }}
    where is_today

),

declared_features as (
    {{ declared_features() }}

),

-- excluded customers are in no segment
segmented as (

    select
        {% for feature in features -%}
        cast(customer_days.{{ feature }} as double) as {{ feature }},
        {% endfor -%}
        assignments.segmentation,
        assignments.segment_id

    from assignments
    inner join customer_days
        on assignments.customer_key = customer_days.customer_key
    where assignments.segment_id is not null

),

unpivoted as (

    select
        segmentation,
        segment_id,
        feature,
        value

    from segmented
    unpivot include nulls (value for feature in ({{ features | join(', ') or 'null' }}))

),

scaled as (

    select
        unpivoted.*,
        case
            when declared_features.is_log_scaled
                then sign(unpivoted.value) * ln(1 + abs(unpivoted.value))
            else unpivoted.value
        end as scaled_value

    from unpivoted
    left join declared_features
        on
            unpivoted.segmentation = declared_features.segmentation
            and unpivoted.feature = declared_features.feature

),

summed as (

    select
        segmentation,
        segment_id,
        feature,
        count(value) as customers,
        median(value) as median,
        {{ exact_sum('value') }} as total,
        {{ exact_sum('value * value') }} as squares,
        {{ exact_sum('scaled_value') }} as scaled_total,
        {{ exact_sum('scaled_value * scaled_value') }} as scaled_squares

    from scaled
    group by segmentation, segment_id, feature

)

select * from summed
