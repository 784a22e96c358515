{{ config(materialized='table') }}

with

campaigns as (

    {{ campaigns() }}

),

members as (

    select * from {{ ref('int_serving__members') }}

),

plays as (

    select * from {{ ref('int_serving__plays') }}

),

customer_features as (

    select * from {{ ref('customer_features') }}

),

-- segments that do not exist get no campaign
targeted as (

    select
        campaigns.campaign,
        campaigns.source_system,
        campaigns.segmentation,
        campaigns.action,
        members.customer_key,
        members.segment_id,
        members.rfm_segment,
        plays.channel,
        plays.offer

    from campaigns
    inner join members
        on
            campaigns.source_system = members.source_system
            and campaigns.segmentation = members.segmentation
    inner join plays
        on
            members.segmentation = plays.segmentation
            and campaigns.action = plays.action
            and (
                members.segment_id = plays.segment_id
                or members.rfm_segment = plays.rfm_segment
            )
    where coalesce(plays.verdict, '') <> 'none'

),

-- what customers spent is the value that is known when the side is drawn
valued as (

    select
        targeted.*,
        customer_features.as_of_date,
        customer_features.mean_basket_value,
        row_number() over (
            partition by targeted.campaign
            order by
                customer_features.monetary desc nulls last,
                customer_features.frequency desc nulls last,
                md5(targeted.campaign || ':' || targeted.customer_key) asc,
                targeted.customer_key asc
        ) as value_rank,
        count(*) over (partition by targeted.campaign) as audience_size

    from targeted
    inner join customer_features
        on targeted.customer_key = customer_features.customer_key

),

targets as (

    select
        *,
        floor(10.0 * (value_rank - 1) / audience_size) + 1 as value_decile

    from valued

)

select * from targets
