{%- set rules = var('segmentation_rules') -%}
with

segment_profiles as (

    select * from {{ ref('segment_profiles') }}

),

feature_words as (

    select * from {{ ref('feature_words') }}

),

-- that a segment has fewer of one category says nothing: it has more of another
worded as (

    select
        profiles.segmentation,
        profiles.segment_id,
        profiles.feature,
        profiles.declared_position,
        profiles.category is null as is_gradable,
        abs(profiles.difference) as strength,
        case
            when profiles.mean >= 0.5 and profiles.category is not null
                then 'mostly ' || profiles.category
            when profiles.category is not null then 'more ' || profiles.category
            when profiles.difference < 0
                then
                    coalesce(
                        words.low_word, 'low ' || replace(profiles.feature, '_', ' ')
                    )
            else
                coalesce(
                    words.high_word, 'high ' || replace(profiles.feature, '_', ' ')
                )
        end as word,
        row_number() over (
            partition by profiles.segmentation, profiles.segment_id
            order by profiles.importance_rank
        ) as strength_rank

    from segment_profiles as profiles
    left join feature_words as words on profiles.feature = words.feature
    where
        profiles.is_declared
        and (
            profiles.difference > 0
            or (profiles.difference < 0 and profiles.category is null)
        )

),

counted as (

    select
        *,
        count_if(
            strength >= {{ rules.distinguishing_from }}
            and strength_rank <= {{ rules.words_in_name }}
        ) over (partition by segmentation, segment_id) as word_count

    from worded

),

-- the features of a name stand in the order declared, so that names can be compared
placed as (

    select
        *,
        strength_rank <= word_count as is_in_short_name,
        case
            when is_gradable and strength >= {{ rules.very_from }} then 'very '
            when is_gradable and strength < {{ rules.distinguishing_from }}
                then 'rather '
            else ''
        end || word as graded_word,
        row_number() over (
            partition by segmentation, segment_id
            order by declared_position asc, feature asc
        ) as place

    from counted
    where strength_rank <= word_count + 1

)

select * from placed
