{{ config(materialized='table') }}

{#- the first declared segmentation of each source system -#}
{%- set first = {} -%}
{%- for segmentation in declared_segmentations()
    if segmentation.source_system not in first -%}
    {%- do first.update({segmentation.source_system: segmentation.name}) -%}
{%- endfor -%}
with

basket_lines as (

    select * from {{ ref('int_exploration__basket_lines') }}

),

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

),

assignments as (

    select * from {{ ref('int_segmentation__assignments') }}
    where
        segment_id is not null
        and segmentation in (
            {%- for name in first.values() %}
            '{{ name }}'{{ ',' if not loop.last }}
            {%- else %}
            ''
            {%- endfor %}
        )

),

buyers as (

    select distinct
        source_system,
        entity,
        buyer_number,
        customer_key

    from basket_lines

),

-- guests are in no segment
scopes as (

    select
        source_system,
        entity,
        buyer_number,
        'all' as segmentation,
        'all' as segment,
        cast(null as int) as segment_id

    from buyers

    union all

    select
        buyers.source_system,
        buyers.entity,
        buyers.buyer_number,
        'rfm' as segmentation,
        customer_rfm.rfm_segment as segment,
        cast(null as int) as segment_id

    from buyers
    inner join customer_rfm on buyers.customer_key = customer_rfm.customer_key

    union all

    select
        buyers.source_system,
        buyers.entity,
        buyers.buyer_number,
        assignments.segmentation,
        cast(null as string) as segment,
        assignments.segment_id

    from buyers
    inner join assignments on buyers.customer_key = assignments.customer_key

),

scopes_numbered as (

    select
        *,
        dense_rank() over (
            order by
                source_system asc,
                entity desc,
                segmentation asc,
                segment asc nulls last,
                segment_id asc nulls last
        ) as scope_number

    from scopes

)

select * from scopes_numbered
