with

correlations as (

    select * from {{ ref('int_exploration__correlations') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by source_system, feature
            order by abs(correlation) desc nulls last, other_feature asc
        ) as correlation_rank

    from correlations

),

feature_correlations as (

    select
        source_system,
        feature,
        other_feature,
        customers,
        correlation,
        cast(correlation_rank as int) as correlation_rank

    from ranked

)

select * from feature_correlations
