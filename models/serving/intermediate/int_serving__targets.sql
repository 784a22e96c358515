{{ config(materialized='table') }}

with

campaigns as (

    {{ campaigns() }}

),

members as (

    select * from {{ ref('int_serving__members') }}

),

segment_actions as (

    select * from {{ ref('segment_actions') }}

),

customer_features as (

    select * from {{ ref('customer_features') }}

),

customer_predictions as (

    select * from {{ ref('customer_predictions') }}

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
        members.segment_name,
        segment_actions.channel,
        segment_actions.offer

    from campaigns
    inner join segment_actions
        on
            campaigns.source_system = segment_actions.source_system
            and campaigns.segmentation = segment_actions.segmentation
            and campaigns.action = segment_actions.action
            and coalesce(segment_actions.verdict, '') <> 'none'
    inner join members
        on
            segment_actions.source_system = members.source_system
            and segment_actions.segmentation = members.segmentation
            and segment_actions.segment_name = members.segment_name

),

valued as (

    select
        targeted.*,
        customer_features.as_of_date,
        customer_features.mean_basket_value,
        customer_predictions.expected_spend,
        customer_predictions.return_probability,
        customer_predictions.horizon_days,
        row_number() over (
            partition by targeted.campaign
            order by
                customer_predictions.expected_spend desc nulls last,
                customer_predictions.return_probability desc nulls last,
                customer_features.monetary desc nulls last,
                md5(targeted.campaign || ':' || targeted.customer_key),
                targeted.customer_key
        ) as priority,
        count(*) over (partition by targeted.campaign) as audience_size

    from targeted
    inner join customer_features
        on targeted.customer_key = customer_features.customer_key
    left join customer_predictions
        on targeted.customer_key = customer_predictions.customer_key

),

targets as (

    select
        *,
        floor(10.0 * (priority - 1) / audience_size) + 1 as value_decile

    from valued

)

select * from targets
