{{ config(materialized='table') }}

with

runs as (

    select * from {{ ref('int_serving__runs') }}
    where is_over

),

group_sums as (

    select * from {{ ref('int_serving__group_sums') }}
    where measure = 'purchase_rate'

),

outcomes as (

    select * from {{ ref('int_serving__outcomes') }}

),

smaller_sides as (

    select
        campaign,
        source_system,
        count(*) as sides,
        min(customers) as customers,
        min(buyers) as buyers

    from group_sums
    group by campaign, source_system

),

-- a difference between differences needs far more customers than a difference
learnable as (

    select
        runs.campaign,
        runs.source_system

    from runs
    inner join smaller_sides
        on
            runs.campaign = smaller_sides.campaign
            and runs.source_system = smaller_sides.source_system
    where
        smaller_sides.sides = 2
        and smaller_sides.customers >= {{ threshold('uplift_min_customers') }}
        and smaller_sides.buyers >= {{ threshold('uplift_min_buyers') }}

),

-- of a larger campaign, a sample: learning costs the same however large it is
sampled as (

    select
        outcomes.*,
        row_number() over (
            partition by outcomes.campaign, outcomes.source_system
            order by md5(outcomes.customer_key) asc, outcomes.customer_key asc
        ) as place

    from outcomes
    inner join learnable
        on
            outcomes.campaign = learnable.campaign
            and outcomes.source_system = learnable.source_system

),

ranked as (

    select
        *,
        row_number() over (
            partition by campaign, source_system
            order by spend_before desc, purchases_before desc, place asc
        ) as value_rank,
        count(*) over (partition by campaign, source_system) as customers

    from sampled
    where place <= {{ var('training_customers') }}

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
