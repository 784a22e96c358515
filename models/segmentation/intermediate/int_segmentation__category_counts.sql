{%- set features = categorical_features() -%}
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

{% if features -%}
segmented as (

    select
        {% for feature in features -%}
        cast(customer_days.{{ feature }} as string) as {{ feature }},
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
        category

    from segmented
    unpivot (category for feature in ({{ features | join(', ') }}))

),
{%- else -%}
unpivoted as (
    {{ no_rows({
        'segmentation': 'string',
        'segment_id': 'int',
        'feature': 'string',
        'category': 'string',
    }) }}

),
{%- endif %}

-- a category is counted in the segmentations that declare it
counted as (

    select
        unpivoted.segmentation,
        unpivoted.segment_id,
        unpivoted.feature,
        unpivoted.category,
        count(*) as customers

    from unpivoted
    inner join declared_features
        on
            unpivoted.segmentation = declared_features.segmentation
            and unpivoted.feature = declared_features.feature
            and declared_features.is_categorical
    group by
        unpivoted.segmentation,
        unpivoted.segment_id,
        unpivoted.feature,
        unpivoted.category

),

summed_to_segments as (

    select
        segmentation,
        segment_id,
        feature,
        cast(sum(customers) as bigint) as customers

    from counted
    group by segmentation, segment_id, feature

),

categories as (

    select distinct
        segmentation,
        feature,
        category

    from counted

),

-- a segment without customers of a category has a share of 0
category_counts as (

    select
        summed_to_segments.segmentation,
        summed_to_segments.segment_id,
        summed_to_segments.feature,
        categories.category,
        summed_to_segments.customers,
        cast(coalesce(counted.customers, 0) as decimal(38, 9)) as customers_of_category

    from summed_to_segments
    inner join categories
        on
            summed_to_segments.segmentation = categories.segmentation
            and summed_to_segments.feature = categories.feature
    left join counted
        on
            summed_to_segments.segmentation = counted.segmentation
            and summed_to_segments.segment_id = counted.segment_id
            and summed_to_segments.feature = counted.feature
            and categories.category = counted.category

)

select * from category_counts
