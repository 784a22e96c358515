with

customer_segments as (

    select * from {{ ref('customer_segments') }}

),

segment_rules as (

    select * from {{ ref('segment_rules') }}

),

-- a segment can have several rules: one per segment, so that no customer multiplies
ranked_rules as (

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

explained as (

    select
        customer_segments.customer_key,
        customer_segments.segmentation,
        customer_segments.segment_id,
        customer_segments.segment_name,
        customer_segments.confidence,
        customer_segments.verdict,
        ranked_rules.rule

    from customer_segments
    left join ranked_rules
        on
            customer_segments.segmentation = ranked_rules.segmentation
            and customer_segments.segment_id = ranked_rules.segment_id
            and ranked_rules.rule_rank = 1

),

one_row_per_customer as (

    select
        customer_key
        {%- for segmentation in shipped_segmentations() -%}
        {%- for column in (
            'segment_id', 'segment_name', 'confidence', 'verdict', 'rule'
        ) -%}
        ,
        max(case when segmentation = '{{ segmentation }}' then {{ column }} end)
            as {{ segmentation }}_{{ column }}
        {%- endfor -%}
        {%- endfor %}

    from explained
    group by customer_key

)

select * from one_row_per_customer
