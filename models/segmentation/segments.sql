with

customer_clusters as (

    select * from {{ ref('customer_clusters') }}

),

customer_features as (

    select * from {{ ref('customer_features') }}

),

names as (

    select * from {{ ref('int_segments__names') }}

),

fits as (

    select * from {{ ref('int_segmentation__fits') }}

),

cluster_choices as (

    select * from {{ ref('cluster_choices') }}

),

-- who was left out is in no segment
summed_to_segments as (

    select
        customer_clusters.segmentation,
        customer_clusters.source_system,
        customer_clusters.fit_id,
        customer_clusters.segment_id,
        count(*) as customers,
        sum(customer_features.monetary) as revenue

    from customer_clusters
    inner join customer_features
        on customer_clusters.customer_key = customer_features.customer_key
    where customer_clusters.segment_id is not null
    group by
        customer_clusters.segmentation,
        customer_clusters.source_system,
        customer_clusters.fit_id,
        customer_clusters.segment_id

),

shared_out as (

    select
        {% for part, share in [('customers', 'share'), ('revenue', 'revenue_share')] -%}
        {{ ratio(part, 'sum(' ~ part ~ ') over everyone') }} as {{ share }},
        {% endfor -%}
        *

    from summed_to_segments
    window everyone as (partition by segmentation)

),

segments as (

    select
        shared_out.segmentation,
        shared_out.source_system,
        shared_out.segment_id,
        names.segment_name,
        shared_out.customers,
        shared_out.share,
        shared_out.revenue_share,
        fits.algorithm,
        fits.setting,
        shared_out.fit_id,
        cast(shared_out.revenue as decimal(18, 2)) as revenue,
        shared_out.segment_id = 0 as is_outliers,
        coalesce(cluster_choices.verdict, 'none') as verdict

    from shared_out
    left join names
        on
            shared_out.segmentation = names.segmentation
            and shared_out.segment_id = names.segment_id
    left join fits on shared_out.fit_id = fits.fit_id
    left join cluster_choices
        on shared_out.segmentation = cluster_choices.segmentation

)

select * from segments
