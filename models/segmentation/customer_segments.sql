with

customer_clusters as (

    select * from {{ ref('customer_clusters') }}

),

names as (

    select * from {{ ref('int_segmentation__names') }}

),

cluster_choices as (

    select * from {{ ref('cluster_choices') }}

),

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

),

customer_segments as (

    select
        customer_clusters.customer_key,
        customer_clusters.source_system,
        customer_rfm.rfm_segment,
        customer_clusters.segmentation,
        customer_clusters.segment_id,
        customer_clusters.confidence,
        customer_clusters.centrality,
        coalesce(names.segment_name, 'Not segmented') as segment_name,
        coalesce(cluster_choices.verdict, 'none') as verdict

    from customer_clusters
    left join names
        on
            customer_clusters.segmentation = names.segmentation
            and customer_clusters.segment_id = names.segment_id
    left join cluster_choices
        on customer_clusters.segmentation = cluster_choices.segmentation
    left join customer_rfm
        on customer_clusters.customer_key = customer_rfm.customer_key

)

select * from customer_segments
