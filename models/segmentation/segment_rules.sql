with

rules as (

    select * from {{ ref('int_segmentation__rules') }}

),

segment_rules as (

    select
        {{ typed({
            'segmentation': 'string',
            'segment_id': 'int',
            'rule_number': 'int',
            'rule': 'string',
            'customers': 'bigint',
            'precision': 'double',
            'coverage': 'double',
            'fidelity': 'double',
        }) }}

    from rules

)

select * from segment_rules
