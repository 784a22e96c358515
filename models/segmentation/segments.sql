with

customer_clusters as (

    select * from {{ ref('customer_clusters') }}

),

customer_features as (

    select * from {{ ref('customer_features') }}

),

names as (

    select * from {{ ref('int_segmentation__names') }}

),

fits as (

    select * from {{ ref('int_segmentation__fits') }}

),

cluster_choices as (

    select * from {{ ref('cluster_choices') }}

),

-- excluded customers are in no segment
summed_to_segments as (

    select
        customer_clusters.segmentation,
        customer_clusters.source_system,
        customer_clusters.fit_id,
        customer_clusters.segment_id,
        count(*) as customers,
        sum(customer_features.monetary) as revenue,
        {{ exact_sum('customer_clusters.confidence') }} as total_confidence

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

shares_added as (

    select
        *,
        {{ ratio('customers', 'sum(customers) over segmented') }} as share,
        {{ ratio('revenue', 'sum(revenue) over segmented') }} as revenue_share,
        {{ ratio('total_confidence', 'customers') }} as mean_confidence

    from summed_to_segments
    window segmented as (partition by segmentation)

),

segments as (

    select
        shares_added.segmentation,
        shares_added.source_system,
        shares_added.segment_id,
        names.segment_name,
        shares_added.customers,
        shares_added.share,
        shares_added.mean_confidence,
        shares_added.revenue_share,
        fits.algorithm,
        fits.setting,
        shares_added.fit_id,
        cast(shares_added.revenue as decimal(18, 2)) as revenue,
        shares_added.segment_id = 0 as is_outliers,
        coalesce(cluster_choices.verdict, 'none') as verdict

    from shares_added
    left join names
        on
            shares_added.segmentation = names.segmentation
            and shares_added.segment_id = names.segment_id
    left join fits on shares_added.fit_id = fits.fit_id
    left join cluster_choices
        on shares_added.segmentation = cluster_choices.segmentation

)

select * from segments
