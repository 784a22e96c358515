with

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

),

assignments as (

    select * from {{ ref('int_segmentation__assignments') }}

),

-- customers without an RFM segment or a cluster are in no segment
members as (

    select
        customer_key,
        source_system,
        'rfm' as segmentation,
        cast(null as int) as segment_id,
        rfm_segment

    from customer_rfm
    where rfm_segment is not null

    union all

    select
        customer_key,
        source_system,
        segmentation,
        cast(segment_id as int) as segment_id,
        cast(null as string) as rfm_segment

    from assignments
    where segment_id is not null

)

select * from members
