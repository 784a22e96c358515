with

assignments as (

    select * from {{ ref('int_segmentation__assignments') }}

),

customer_clusters as (

    select
        {{ typed({
            'customer_key': 'string',
            'source_system': 'string',
            'segmentation': 'string',
            'fit_id': 'string',
            'segment_id': 'int',
            'distance': 'double',
            'centrality': 'double',
            'confidence': 'double',
            'pca_x': 'double',
            'pca_y': 'double',
        }) }}

    from assignments

)

select * from customer_clusters
