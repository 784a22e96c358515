with

comparisons as (

    select * from {{ ref('int_segmentation__comparisons') }}

),

segment_profiles as (

    select
        segmentation,
        category,
        mean,
        standard_deviation,
        population_mean,
        lift,
        difference,
        cast(segment_id as int) as segment_id,
        cast(customers as bigint) as customers,
        cast(importance_rank as int) as importance_rank,
        cast(declared_position as int) as declared_position,
        feature || coalesce('=' || category, '') as feature,
        declared_position is not null as is_declared,
        round(cast(median as double), 6) as median

    from comparisons

)

select * from segment_profiles
