-- every segment that a customer or a profile names is in `segments`
with

segments as (

    select * from {{ ref('segments') }}

),

mentioned as (

    {% for model in ['customer_clusters', 'segment_profiles'] -%}
    select
        '{{ model }}' as mentioned_in,
        segmentation,
        segment_id

    from {{ ref(model) }}
    where segment_id is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select distinct
    mentioned.mentioned_in,
    mentioned.segmentation,
    mentioned.segment_id

from mentioned
left join segments
    on
        mentioned.segmentation = segments.segmentation
        and mentioned.segment_id = segments.segment_id
where segments.segment_id is null
