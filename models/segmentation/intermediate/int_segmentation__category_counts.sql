{%- set declared = segmentations_by_feature(['onehot']) -%}
with

customer_clusters as (

    select * from {{ ref('customer_clusters') }}

),

customer_features as (

    select * from {{ ref('customer_features') }}

),

declared_features as (
    {{ declared_features() }}

),

-- a category is counted in the segmentations that declare it
counted as (

    {% for feature in declared -%}
    select
        customer_clusters.segmentation,
        customer_clusters.segment_id,
        '{{ feature }}' as feature,
        cast(customer_features.{{ feature }} as string) as category,
        count(*) as customers

    from customer_clusters
    inner join customer_features
        on customer_clusters.customer_key = customer_features.customer_key
    inner join declared_features
        on
            customer_clusters.segmentation = declared_features.segmentation
            and declared_features.feature = '{{ feature }}'
            and declared_features.is_categorical
    where
        customer_clusters.segment_id is not null
        and customer_features.{{ feature }} is not null
    group by
        customer_clusters.segmentation,
        customer_clusters.segment_id,
        customer_features.{{ feature }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
    {%- if not declared -%}
    {{ no_rows({
        'segmentation': 'string',
        'segment_id': 'int',
        'feature': 'string',
        'category': 'string',
        'customers': 'bigint',
    }) }}
    {%- endif %}

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

-- a segment without a customer of the category has a share of it too: none
shares as (

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

select * from shares
