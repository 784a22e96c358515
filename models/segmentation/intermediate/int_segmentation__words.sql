{{ config(materialized='table') }}

with

comparisons as (

    select * from {{ ref('int_segmentation__comparisons') }}

),

feature_words as (

    select * from {{ ref('feature_words') }}

),

product_category_terms as (

    select * from {{ ref('product_category_terms') }}

),

declared_features as (
    {{ declared_features() }}

),

-- the share of a category of products is known by the name of the category: by the kind
-- of goods that it begins with, if no other category does
category_words as (

    select
        declared_features.segmentation,
        declared_features.feature,
        case
            when
                count(*) over (
                    partition by
                        declared_features.segmentation,
                        split_part(product_category_terms.category_name, ':', 1)
                ) = 1
                then lower(split_part(product_category_terms.category_name, ':', 1))
            else lower(product_category_terms.category_name)
        end as category_name

    from declared_features
    inner join product_category_terms
        on
            declared_features.source_system = product_category_terms.source_system
            and declared_features.feature
            = 'category_'
            || cast(product_category_terms.category_id as string)
            || '_share'
    where product_category_terms.term_rank = 1

),

-- fewer customers of one category mean more of another, so only `more` is a word
words_assigned as (

    select
        comparisons.segmentation,
        comparisons.segment_id,
        comparisons.feature,
        comparisons.category,
        comparisons.declared_position,
        comparisons.category is null as is_gradable,
        abs(comparisons.difference) >= {{ threshold('name_difference') }}
            as is_different,
        abs(comparisons.difference) >= {{ threshold('strong_difference') }}
            as is_very_different,
        case
            when comparisons.mean >= 0.5 and comparisons.category is not null
                then 'mostly ' || comparisons.category
            when comparisons.category is not null then 'more ' || comparisons.category
            when comparisons.difference < 0
                then
                    coalesce(
                        words.low_word,
                        'little ' || replace(category_words.category_name, ', ', '/'),
                        'low ' || replace(comparisons.feature, '_', ' ')
                    )
            else
                coalesce(
                    words.high_word,
                    'much ' || replace(category_words.category_name, ', ', '/'),
                    'high ' || replace(comparisons.feature, '_', ' ')
                )
        end as word,
        row_number() over (
            partition by comparisons.segmentation, comparisons.segment_id
            order by comparisons.importance_rank
        ) as strength_rank

    from comparisons
    left join feature_words as words on comparisons.feature = words.feature
    left join category_words
        on
            comparisons.segmentation = category_words.segmentation
            and comparisons.feature = category_words.feature
    where
        comparisons.declared_position is not null
        and (
            comparisons.difference > 0
            or (comparisons.difference < 0 and comparisons.category is null)
        )

),

-- a name has at most three words
counted as (

    select
        *,
        count_if(is_different and strength_rank <= 3) over (
            partition by segmentation, segment_id
        ) as word_count

    from words_assigned

),

-- in the order of the declaration, names of different segments are easy to compare
placed as (

    select
        segmentation,
        segment_id,
        word,
        word_count,
        feature || coalesce('=' || category, '') as feature,
        strength_rank <= word_count as is_in_short_name,
        case
            when is_gradable and is_very_different then 'very '
            when is_gradable and not is_different then 'rather '
            else ''
        end || word as graded_word,
        row_number() over (
            partition by segmentation, segment_id
            order by
                declared_position asc, feature asc, category asc nulls first
        ) as place

    from counted
    where strength_rank <= word_count + 1

)

select * from placed
