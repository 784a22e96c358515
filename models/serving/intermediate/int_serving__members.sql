with

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

),

customer_segments as (

    select * from {{ ref('customer_segments') }}

),

-- RFM segments are cut by rules, so there is no verdict on them
members as (

    select
        customer_key,
        source_system,
        'rfm' as segmentation,
        cast(null as int) as segment_id,
        rfm_segment as segment_name,
        cast(null as string) as verdict

    from customer_rfm

    union all

    select
        customer_key,
        source_system,
        segmentation,
        segment_id,
        segment_name,
        verdict

    from customer_segments
    where segment_id is not null

)

select * from members
