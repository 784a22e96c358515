with

comparisons as (

    select * from {{ ref('int_segments__comparisons') }}

),

averaged as (

    select
        *,
        {{ ratio('total', 'customers') }} as mean,
        {{ spread('customers', 'total', 'squares') }} as spread,
        {{ ratio('everyone_total', 'everyone_customers') }} as everyone_mean,
        {{ ratio('scaled', 'customers') }}
        - {{ ratio('everyone_scaled', 'everyone_customers') }} as scaled_difference,
        {{ spread('everyone_customers', 'everyone_scaled', 'everyone_scaled_squares') }}
            as everyone_spread

    from comparisons
    where everyone_customers > 0

),

-- rounded, so that ranks do not hang on the last bit of a double
compared as (

    select
        *,
        round(mean / nullif(everyone_mean, 0), 6) as lift,
        round(scaled_difference / nullif(everyone_spread, 0), 6) as difference

    from averaged

),

segment_profiles as (

    select
        segmentation,
        category,
        lift,
        difference,
        cast(segment_id as int) as segment_id,
        cast(declared_position as int) as declared_position,
        cast(customers as bigint) as customers,
        cast(
            row_number() over (
                partition by segmentation, segment_id
                order by
                    abs(difference) desc nulls last,
                    declared_position asc nulls last,
                    declared_feature asc,
                    category asc nulls first
            ) as int
        ) as importance_rank,
        declared_position is not null as is_declared,
        declared_feature || coalesce('=' || category, '') as feature,
        round(mean, 6) as mean,
        round(cast(median as double), 6) as median,
        round(cast(spread as double), 6) as spread,
        round(everyone_mean, 6) as everyone_mean

    from compared

)

select * from segment_profiles
