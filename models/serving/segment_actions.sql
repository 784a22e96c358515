with

members as (

    select * from {{ ref('int_serving__members') }}

),

customer_features as (

    select * from {{ ref('customer_features') }}

),

plays as (

    select * from {{ ref('int_serving__plays') }}

),

names as (

    select * from {{ ref('int_segmentation__names') }}

),

segment_playbook as (

    select * from {{ ref('segment_playbook') }}

),

summed_to_segments as (

    select
        members.segmentation,
        members.source_system,
        members.segment_id,
        members.rfm_segment,
        count(*) as customers,
        {{ total('customer_features.monetary') }} as revenue,
        percentile_cont(0.5) within group (order by customer_features.recency_days)
            as median_recency_days,
        percentile_cont(0.5) within group (order by customer_features.frequency)
            as median_frequency,
        percentile_cont(0.5) within group (
            order by cast(customer_features.monetary as double)
        ) as median_monetary

    from members
    inner join customer_features
        on members.customer_key = customer_features.customer_key
    group by
        members.segmentation,
        members.source_system,
        members.segment_id,
        members.rfm_segment

),

shares_added as (

    select
        *,
        {{ ratio('customers', 'sum(customers) over segmented') }} as customer_share,
        {{ ratio('revenue', 'sum(revenue) over segmented') }} as revenue_share

    from summed_to_segments
    window segmented as (partition by segmentation, source_system)

),

plays_found as (

    select
        shares_added.*,
        plays.verdict,
        plays.value_level,
        plays.recency_level,
        plays.play,
        coalesce(shares_added.rfm_segment, names.segment_name) as segment_name

    from shares_added
    left join names
        on
            shares_added.segmentation = names.segmentation
            and shares_added.segment_id = names.segment_id
    left join plays
        on
            shares_added.segmentation = plays.segmentation
            and (
                shares_added.segment_id = plays.segment_id
                or shares_added.rfm_segment = plays.rfm_segment
            )

),

segment_actions as (

    select
        plays_found.segmentation,
        plays_found.source_system,
        plays_found.segment_id,
        plays_found.segment_name,
        plays_found.verdict,
        cast(plays_found.customers as bigint) as customers,
        plays_found.customer_share,
        plays_found.revenue_share,
        cast(plays_found.median_recency_days as double) as median_recency_days,
        cast(plays_found.median_frequency as double) as median_frequency,
        round(cast(plays_found.median_monetary as double), 6) as median_monetary,
        {{ persona() }} as persona,
        plays_found.value_level,
        plays_found.recency_level,
        plays_found.play,
        segment_playbook.definition,
        segment_playbook.goal,
        segment_playbook.action,
        segment_playbook.channel,
        segment_playbook.offer,
        segment_playbook.success_measure,
        segment_playbook.is_hypothesis

    from plays_found
    left join segment_playbook on plays_found.play = segment_playbook.play

)

select * from segment_actions
