with

candidates as (

    select * from {{ ref('int_segmentation__candidates') }}

),

cluster_candidates as (

    select
        {{ typed({
            'segmentation': 'string',
            'source_system': 'string',
            'algorithm': 'string',
            'setting': 'string',
            'n_clusters': 'int',
            'is_pinned': 'boolean',
            'is_elbow': 'boolean',
            'customers': 'bigint',
            'excluded_customers': 'bigint',
            'inertia': 'double',
            'silhouette': 'double',
            'davies_bouldin': 'double',
            'calinski_harabasz': 'double',
            'stability_mean': 'double',
            'stability_min': 'double',
            'smallest_share': 'double',
            'noise_share': 'double',
            'minimum_share': 'double',
            'structure_p_value': 'double',
            'correlation_p_value': 'double',
            'gap_p_value': 'double',
            'border_density': 'double',
            'structure_excess': 'double',
        }) }}

    from candidates
    -- those of subsamples say how sure the verdict is
    where subsample is null

)

select * from cluster_candidates
