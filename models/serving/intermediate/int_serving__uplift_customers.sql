{{ config(materialized='table') }}

with

runs as (

    select * from {{ ref('int_serving__runs') }}
    where is_over

),

outcomes as (

    select * from {{ ref('int_serving__outcomes') }}

),

sides_in_order as (

    select
        outcomes.*,
        row_number() over (
            partition by outcomes.campaign, outcomes.source_system, outcomes.is_treated
            order by md5(outcomes.customer_key) asc, outcomes.customer_key asc
        ) as place_in_side

    from outcomes
    inner join runs
        on
            outcomes.campaign = runs.campaign
            and outcomes.source_system = runs.source_system

),

-- a place for each side in turn: of a hold-out that is small, everybody is kept
places as (

    select
        *,
        row_number() over (
            partition by campaign, source_system
            order by place_in_side asc, is_treated asc
        ) as place

    from sides_in_order

),

-- of a larger campaign, a sample: learning costs the same however large it is
sampled as (

    select * from places
    where place <= {{ var('training_customers') }}

),

sides as (

    select
        campaign,
        source_system,
        is_treated,
        count(*) as customers,
        count(*) filter (where buyers > 0) as buyers

    from sampled
    group by campaign, source_system, is_treated

),

smaller_sides as (

    select
        campaign,
        source_system,
        count(*) as sides,
        min(customers) as customers,
        min(buyers) as buyers

    from sides
    group by campaign, source_system

),

-- a difference between differences needs far more customers than a difference
learnable as (

    select
        campaign,
        source_system

    from smaller_sides
    where
        sides = 2
        -- each of the five folds has customers of both sides
        and customers >= 5
        and customers >= {{ threshold('uplift_min_customers') }}
        and buyers >= {{ threshold('uplift_min_buyers') }}

),

ranked as (

    select
        sampled.*,
        row_number() over (
            partition by sampled.campaign, sampled.source_system
            order by
                sampled.spend_before desc,
                sampled.purchases_before desc,
                sampled.place asc
        ) as value_rank,
        count(*) over (
            partition by sampled.campaign, sampled.source_system
        ) as customers

    from sampled
    inner join learnable
        on
            sampled.campaign = learnable.campaign
            and sampled.source_system = learnable.source_system

),

uplift_customers as (

    select
        campaign,
        source_system,
        customer_key,
        is_treated,
        buyers,
        spend_before,
        purchases_before,
        recency_days,
        age_days,
        cast(value_rank as bigint) as value_rank,
        cast(floor(10.0 * (value_rank - 1) / customers) + 1 as int) as value_tenth

    from ranked

)

select * from uplift_customers
