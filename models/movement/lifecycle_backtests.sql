with

stages as (

    select * from {{ ref('int_movement__stages') }}

),

-- past customers whose horizon has ended
known as (

    select
        customer_key,
        source_system,
        as_of_date,
        horizon_days,
        lifecycle_stage,
        cast(return_probability as decimal(18, 9)) as expected,
        case when days_to_return < horizon_days then 1 else 0 end as returned

    from stages
    where
        is_training_date
        and horizon_days <= observed_days

),

-- ties are ordered by key, so that all deciles have the same size
ranked as (

    select
        *,
        row_number() over (
            partition by source_system, as_of_date
            order by expected asc, customer_key asc
        ) as expected_rank,
        count(*) over (partition by source_system, as_of_date) as all_customers

    from known

),

grouped as (

    select
        *,
        'all' as grouping_name,
        'all' as group_name

    from ranked

    union all

    select
        *,
        'stage' as grouping_name,
        lifecycle_stage as group_name

    from ranked

    union all

    select
        *,
        'decile' as grouping_name,
        cast(
            cast(floor((expected_rank - 1) * 10 / all_customers) as int) + 1 as string
        ) as group_name

    from ranked

),

compared as (

    select
        source_system,
        as_of_date,
        horizon_days,
        grouping_name,
        group_name,
        count(*) as customers,
        {{ ratio('sum(expected)', 'count(*)') }} as expected_return_share,
        {{ ratio('sum(returned)', 'count(*)') }} as return_share

    from grouped
    group by source_system, as_of_date, horizon_days, grouping_name, group_name

)

select * from compared
