with

runs as (

    select * from {{ ref('int_serving__runs') }}

),

outcomes as (

    select * from {{ ref('int_serving__outcomes') }}

),

measured as (

    select
        outcomes.*,
        'spend' as measure,
        outcomes.spend as outcome,
        outcomes.spend_before as earlier

    from outcomes
    inner join runs
        on
            outcomes.campaign = runs.campaign
            and outcomes.source_system = runs.source_system
    where runs.has_amounts

    union all

    select
        outcomes.*,
        'purchase_rate' as measure,
        outcomes.buyers as outcome,
        outcomes.buyers_before as earlier

    from outcomes

),

-- means, variances and covariances follow from these sums
group_sums as (

    select
        campaign,
        source_system,
        measure,
        case when is_treated then 'treated' else 'control' end as side,
        count(*) as customers,
        count(*) filter (where buyers > 0) as buyers,
        count(*) filter (where is_reached) as reached_customers,
        {{ total('outcome') }} as outcome,
        {{ total('outcome * outcome', 4) }} as outcome_squares,
        {{ total('earlier') }} as earlier,
        {{ total('earlier * earlier', 4) }} as earlier_squares,
        {{ total('outcome * earlier', 4) }} as products

    from measured
    group by campaign, source_system, measure, is_treated

)

select * from group_sums
