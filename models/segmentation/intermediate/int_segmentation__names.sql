{{ config(materialized='table') }}

with

comparisons as (

    select * from {{ ref('int_segmentation__comparisons') }}

),

words as (

    select * from {{ ref('int_segmentation__words') }}

),

segments as (

    select distinct
        segmentation,
        segment_id

    from comparisons

),

-- the long name has one more word, and grades such as `very`
phrased as (

    select
        segments.segmentation,
        segments.segment_id,
        concat_ws(
            ', ',
            case when coalesce(max(words.word_count), 0) = 0 then 'average' end,
            max(
                case
                    when words.place = 1 and words.is_in_short_name then words.word
                end
            ),
            max(
                case
                    when words.place = 2 and words.is_in_short_name then words.word
                end
            ),
            max(
                case
                    when words.place = 3 and words.is_in_short_name then words.word
                end
            ),
            max(
                case
                    when words.place = 4 and words.is_in_short_name then words.word
                end
            )
        ) as short_name,
        concat_ws(
            ', ',
            case when coalesce(max(words.word_count), 0) = 0 then 'average' end,
            max(case when words.place = 1 then words.graded_word end),
            max(case when words.place = 2 then words.graded_word end),
            max(case when words.place = 3 then words.graded_word end),
            max(case when words.place = 4 then words.graded_word end)
        ) as long_name

    from segments
    left join words
        on
            segments.segmentation = words.segmentation
            and segments.segment_id = words.segment_id
    group by segments.segmentation, segments.segment_id

),

-- only segments that share a name need the long one
deduplicated as (

    select
        segmentation,
        segment_id,
        case
            when segment_id = 0 then 'outliers'
            when count(*) over (partition by segmentation, short_name) > 1
                then long_name
            else short_name
        end as segment_name

    from phrased

),

named as (

    select
        segmentation,
        segment_id,
        upper(substr(segment_name, 1, 1))
        || substr(segment_name, 2)
        || case
            when count(*) over (partition by segmentation, segment_name) > 1
                then ' (' || cast(segment_id as string) || ')'
            else ''
        end as segment_name

    from deduplicated

)

select * from named
