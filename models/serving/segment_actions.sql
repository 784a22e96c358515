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

segment_playbook as (

    select * from {{ ref('segment_playbook') }}

),

summed_to_segments as (

    select
        members.segmentation,
        members.source_system,
        members.segment_id,
        members.segment_name,
        members.verdict,
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
    inner join customer_features on members.customer_key = customer_features.customer_key
    group by
        members.segmentation,
        members.source_system,
        members.segment_id,
        members.segment_name,
        members.verdict

),

shares_added as (

    select
        *,
        {{ ratio('customers', 'sum(customers) over segmented') }} as customer_share,
        {{ ratio('revenue', 'sum(revenue) over segmented') }} as revenue_share

    from summed_to_segments
    window segmented as (partition by segmentation, source_system)

),

actions_found as (

    select
        shares_added.*,
        plays.value_level,
        plays.recency_level,
        segment_playbook.play,
        segment_playbook.definition,
        segment_playbook.goal,
        segment_playbook.action,
        segment_playbook.channel,
        segment_playbook.offer,
        segment_playbook.success_measure,
        segment_playbook.is_hypothesis

    from shares_added
    left join plays
        on
            shares_added.segmentation = plays.segmentation
            and shares_added.source_system = plays.source_system
            and shares_added.segment_name = plays.segment_name
    left join segment_playbook
        on
            (shares_added.segmentation = 'rfm'
                and segment_playbook.kind = 'rfm'
                and shares_added.segment_name = segment_playbook.segment)
            or plays.play = segment_playbook.play

),

segment_actions as (

    select
        segmentation,
        source_system,
        segment_id,
        segment_name,
        verdict,
        cast(customers as bigint) as customers,
        customer_share,
        revenue_share,
        cast(median_recency_days as double) as median_recency_days,
        cast(median_frequency as double) as median_frequency,
        round(cast(median_monetary as double), 6) as median_monetary,
        {{ persona() }} as persona,
        value_level,
        recency_level,
        play,
        definition,
        goal,
        action,
        channel,
        offer,
        success_measure,
        is_hypothesis

    from actions_found

)

select * from segment_actions
