{%- set rules = var('segmentation_rules') -%}
with

segment_profiles as (

    select * from {{ ref('segment_profiles') }}

),

words as (

    select * from {{ ref('int_segments__words') }}

),

segments as (

    select distinct
        segmentation,
        segment_id

    from segment_profiles

),

phrased as (

    select
        segments.segmentation,
        segments.segment_id,
        concat_ws(
            ', ',
            case when coalesce(max(words.word_count), 0) = 0 then 'average' end
            {%- for place in range(1, rules.words_in_name + 2) %},
            max(
                case
                    when words.place = {{ place }} and words.is_in_short_name
                        then words.word
                end
            )
            {%- endfor %}
        ) as short_name,
        concat_ws(
            ', ',
            case when coalesce(max(words.word_count), 0) = 0 then 'average' end
            {%- for place in range(1, rules.words_in_name + 2) %},
            max(case when words.place = {{ place }} then words.graded_word end)
            {%- endfor %}
        ) as long_name

    from segments
    left join words
        on
            segments.segmentation = words.segmentation
            and segments.segment_id = words.segment_id
    group by segments.segmentation, segments.segment_id

),

-- only segments that share a name need the long one
told_apart as (

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

    from told_apart

)

select * from named
