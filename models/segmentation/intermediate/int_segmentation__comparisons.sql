with

sums as (

    select * from {{ ref('int_segments__sums') }}

),

shares as (

    select * from {{ ref('int_segments__shares') }}

),

declared_features as (
    {{ declared_features() }}

),

-- a share is the mean of ones and zeros
measured as (

    select
        segmentation,
        segment_id,
        feature as declared_feature,
        cast(null as string) as category,
        customers,
        median,
        total,
        squares,
        scaled,
        scaled_squares

    from sums

    union all

    select
        segmentation,
        segment_id,
        feature as declared_feature,
        category,
        customers,
        cast(null as double) as median,
        customers_of_category as total,
        customers_of_category as squares,
        customers_of_category as scaled,
        customers_of_category as scaled_squares

    from shares

),

beside_everyone as (

    select
        measured.*,
        declared_features.declared_position,
        sum(measured.customers) over everyone as everyone_customers,
        sum(measured.total) over everyone as everyone_total,
        sum(measured.scaled) over everyone as everyone_scaled,
        sum(measured.scaled_squares) over everyone as everyone_scaled_squares

    from measured
    left join declared_features
        on
            measured.segmentation = declared_features.segmentation
            and measured.declared_feature = declared_features.feature
            and (measured.category is not null) = declared_features.is_categorical
    window
        everyone as (
            partition by
                measured.segmentation, measured.declared_feature, measured.category
        )

)

select * from beside_everyone
