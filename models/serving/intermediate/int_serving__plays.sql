with

comparisons as (

    select * from {{ ref('int_segmentation__comparisons') }}

),

cluster_choices as (

    select * from {{ ref('cluster_choices') }}

),

segment_playbook as (

    select * from {{ ref('segment_playbook') }}

),

-- the first measure of value that the source system has counts
differences as (

    select
        segmentation,
        cast(segment_id as int) as segment_id,
        coalesce(
            max(difference) filter (where feature = 'monetary'),
            max(difference) filter (where feature = 'spending_score'),
            max(difference) filter (where feature = 'frequency'),
            max(difference) filter (where feature = 'coupons')
        ) as value_difference,
        coalesce(
            max(difference) filter (where feature = 'recency_days'),
            max(difference) filter (where feature = 'activity_recency_days')
        ) as recency_difference,
        max(difference) filter (where feature = 'return_rate') as return_difference

    from comparisons
    group by segmentation, segment_id

),

levels as (

    select
        segmentation,
        segment_id,
        {{ level('value_difference', threshold('name_difference'), 'low', 'high') }}
            as value_level,
        {{ level(
            'recency_difference', threshold('name_difference'), 'recent', 'lapsed'
        ) }} as recency_level,
        {{ level('return_difference', threshold('strong_difference'), 'low', 'high') }}
            as returns_level

    from differences

),

-- `any` fits every level, an unknown one too
rules_fitted as (

    select
        levels.segmentation,
        levels.segment_id,
        levels.value_level,
        levels.recency_level,
        segment_playbook.play,
        segment_playbook.action,
        segment_playbook.channel,
        segment_playbook.offer,
        row_number() over (
            partition by levels.segmentation, levels.segment_id
            order by segment_playbook.rule_order, segment_playbook.play
        ) as preference

    from levels
    inner join segment_playbook
        on
            segment_playbook.kind = 'cluster'
            and segment_playbook.value_level in ('any', levels.value_level)
            and segment_playbook.recency_level in ('any', levels.recency_level)
            and segment_playbook.returns_level in ('any', levels.returns_level)

),

-- RFM segments are cut by rules, so there is no verdict on them
plays as (

    select
        'rfm' as segmentation,
        cast(null as int) as segment_id,
        segment as rfm_segment,
        cast(null as string) as value_level,
        cast(null as string) as recency_level,
        cast(null as string) as verdict,
        play,
        action,
        channel,
        offer

    from segment_playbook
    where kind = 'rfm'

    union all

    select
        rules_fitted.segmentation,
        rules_fitted.segment_id,
        cast(null as string) as rfm_segment,
        rules_fitted.value_level,
        rules_fitted.recency_level,
        coalesce(cluster_choices.verdict, 'none') as verdict,
        rules_fitted.play,
        rules_fitted.action,
        rules_fitted.channel,
        rules_fitted.offer

    from rules_fitted
    left join cluster_choices
        on rules_fitted.segmentation = cluster_choices.segmentation
    where rules_fitted.preference = 1

)

select * from plays
