with

prototypes as (

    select * from {{ ref('int_segmentation__prototypes') }}

),

cluster_prototypes as (

    select
        {{ typed({
            'fit_id': 'string',
            'segmentation': 'string',
            'fit_number': 'int',
            'as_of_date': 'date',
            'customers': 'bigint',
            'algorithm': 'string',
            'setting': 'string',
            'prototype_number': 'int',
            'segment_id': 'int',
            'weight': 'double',
            'reach': 'double',
            'feature': 'string',
            'position': 'double',
            'value': 'double',
        }) }}

    from prototypes

)

select * from cluster_prototypes
