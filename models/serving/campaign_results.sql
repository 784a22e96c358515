with

runs as (

    select * from {{ ref('int_serving__runs') }}

),

group_sums as (

    select * from {{ ref('int_serving__group_sums') }}

),

effects as (

    select
        {{ typed({
            'campaign': 'string',
            'source_system': 'string',
            'measure': 'string',
            'estimate': 'double',
            'low': 'double',
            'high': 'double',
            'unadjusted': 'double',
            'variance_saved': 'double',
        }) }},
        max(cast(imbalance as double)) over (partition by campaign, source_system)
            as imbalance

    from {{ ref('int_serving__effects') }}

),

measures as (

    select 'spend' as measure
    union all
    select 'purchase_rate' as measure

),

groups_counted as (

    select
        campaign,
        source_system,
        measure,
        sum(customers) filter (where side = 'treated') as treated_customers,
        sum(customers) filter (where side = 'control') as control_customers,
        sum(buyers) as buyers,
        sum(reached_customers) filter (where side = 'treated') as reached_customers,
        sum(reached_customers) filter (where side = 'control')
            as reached_control_customers,
        max({{ ratio('outcome', 'customers') }}) filter (where side = 'treated')
            as treated_mean,
        max({{ ratio('outcome', 'customers') }}) filter (where side = 'control')
            as control_mean

    from group_sums
    group by campaign, source_system, measure

),

explained as (

    select
        runs.*,
        measures.measure,
        groups_counted.treated_mean,
        groups_counted.control_mean,
        effects.imbalance,
        coalesce(groups_counted.treated_customers, 0) as treated_customers,
        coalesce(groups_counted.control_customers, 0) as control_customers,
        coalesce(groups_counted.reached_customers, 0) as reached_customers,
        coalesce(groups_counted.reached_control_customers, 0)
            as reached_control_customers,
        {{ why_effect_is_unknown() }} as reason

    from runs
    cross join measures
    left join groups_counted
        on
            runs.campaign = groups_counted.campaign
            and runs.source_system = groups_counted.source_system
            and measures.measure = groups_counted.measure
    left join effects
        on
            runs.campaign = effects.campaign
            and runs.source_system = effects.source_system
            and measures.measure = effects.measure

),

campaign_results as (

    select
        explained.campaign,
        explained.source_system,
        explained.measure,
        explained.start_date,
        explained.end_date,
        explained.holdout,
        explained.treated_mean,
        explained.control_mean,
        explained.imbalance,
        effects.estimate as incremental,
        effects.low as incremental_low,
        effects.high as incremental_high,
        effects.unadjusted as unadjusted_incremental,
        effects.variance_saved,
        cast(explained.treated_customers as bigint) as treated_customers,
        cast(explained.control_customers as bigint) as control_customers,
        cast(explained.reached_customers as bigint) as reached_customers,
        cast(explained.reached_control_customers as bigint)
            as reached_control_customers,
        cast(explained.unknown_customers as bigint) as unknown_customers,
        cast(explained.future_sends as bigint) as future_sends,
        case
            when effects.low > 0 then 'more'
            when effects.high < 0 then 'less'
            else 'cannot tell'
        end as verdict,
        case
            when explained.reason is not null then explained.reason
            when effects.low <= 0 and effects.high >= 0 then 'interval_holds_zero'
        end as reason,
        effects.estimate * explained.treated_customers as total_incremental,
        effects.low * explained.treated_customers as total_incremental_low,
        effects.high * explained.treated_customers as total_incremental_high

    from explained
    left join effects
        on
            explained.campaign = effects.campaign
            and explained.source_system = effects.source_system
            and explained.measure = effects.measure
            and explained.reason is null

)

select * from campaign_results
