with

segment_rules as (

    select * from {{ ref('segment_rules') }}

),

ranked as (

    select
        segmentation,
        segment_id,
        rule,
        row_number() over (
            partition by segmentation, segment_id
            order by coverage desc nulls last, rule_number asc
        ) as rule_rank

    from segment_rules

),

-- a segment can have several rules: the one that holds for most of it describes it
rules as (

    select
        segmentation,
        segment_id,
        rule

    from ranked
    where rule_rank = 1

)

select * from rules
