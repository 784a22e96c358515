{{ config(materialized='table') }}

with

feature_sums as (

    select * from {{ ref('int_segmentation__feature_sums') }}

),

category_counts as (

    select * from {{ ref('int_segmentation__category_counts') }}

),

declared_features as (
    {{ declared_features() }}

),

-- the share of a category is a mean of ones and zeros
united as (

    select
        segmentation,
        segment_id,
        feature,
        cast(null as string) as category,
        customers,
        median,
        total,
        squares,
        scaled_total,
        scaled_squares

    from feature_sums

    union all

    select
        segmentation,
        segment_id,
        feature,
        category,
        customers,
        cast(null as double) as median,
        customers_of_category as total,
        customers_of_category as squares,
        customers_of_category as scaled_total,
        customers_of_category as scaled_squares

    from category_counts

),

compared_to_population as (

    select
        united.*,
        declared_features.declared_position,
        sum(united.customers) over population as population_customers,
        sum(united.total) over population as population_total,
        sum(united.scaled_total) over population as population_scaled_total,
        sum(united.scaled_squares) over population as population_scaled_squares

    from united
    left join declared_features
        on
            united.segmentation = declared_features.segmentation
            and united.feature = declared_features.feature
            and (united.category is not null) = declared_features.is_categorical
    window
        population as (
            partition by united.segmentation, united.feature, united.category
        )

),

averaged as (

    select
        *,
        {{ ratio('total', 'customers') }} as mean,
        {{ standard_deviation('customers', 'total', 'squares') }} as standard_deviation,
        {{ ratio('population_total', 'population_customers') }} as population_mean,
        {{ ratio('scaled_total', 'customers') }}
        - {{ ratio('population_scaled_total', 'population_customers') }}
            as scaled_difference,
        {{ standard_deviation(
            'population_customers', 'population_scaled_total', 'population_scaled_squares'
        ) }} as population_deviation

    from compared_to_population
    where population_customers > 0

),

-- rounded, because ranks must not depend on the last bit of a double
compared as (

    select
        segmentation,
        segment_id,
        feature,
        category,
        declared_position,
        customers,
        median,
        round(mean, 6) as mean,
        round(cast(standard_deviation as double), 6) as standard_deviation,
        round(population_mean, 6) as population_mean,
        round(mean / nullif(population_mean, 0), 6) as lift,
        round(scaled_difference / nullif(population_deviation, 0), 6) as difference

    from averaged

),

ranked as (

    select
        *,
        row_number() over (
            partition by segmentation, segment_id
            order by
                abs(difference) desc nulls last,
                declared_position asc nulls last,
                feature asc,
                category asc nulls first
        ) as importance_rank

    from compared

)

select * from ranked
