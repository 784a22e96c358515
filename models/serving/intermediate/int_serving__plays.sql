with

segments as (

    select * from {{ ref('segments') }}

),

segment_profiles as (

    select * from {{ ref('segment_profiles') }}
    where category is null

),

segment_playbook as (

    select * from {{ ref('segment_playbook') }}

),

-- the first measure of value that the source system has counts
differences as (

    select
        segmentation,
        segment_id,
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

    from segment_profiles
    group by segmentation, segment_id

),

levels as (

    select
        segments.segmentation,
        segments.source_system,
        segments.segment_name,
        {{ level('differences.value_difference', threshold('name_difference'), 'low', 'high') }}
            as value_level,
        {{ level(
            'differences.recency_difference', threshold('name_difference'), 'recent', 'lapsed'
        ) }} as recency_level,
        {{ level(
            'differences.return_difference', threshold('strong_difference'), 'low', 'high'
        ) }} as returns_level

    from segments
    left join differences
        on
            segments.segmentation = differences.segmentation
            and segments.segment_id = differences.segment_id

),

-- `any` fits every level, an unknown one too
rules_fitted as (

    select
        levels.segmentation,
        levels.source_system,
        levels.segment_name,
        levels.value_level,
        levels.recency_level,
        segment_playbook.play,
        row_number() over (
            partition by levels.segmentation, levels.source_system, levels.segment_name
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

plays as (

    select
        segmentation,
        source_system,
        segment_name,
        value_level,
        recency_level,
        play

    from rules_fitted
    where preference = 1

)

select * from plays
