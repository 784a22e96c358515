-- eleven names, and each of their rectangles holds at least one cell of scores
with

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

reachable as (

    select distinct rfm_segment
    from rfm_segments
    where
        recency_score_from between 1 and recency_score_to
        and frequency_score_from between 1 and frequency_score_to
        and recency_score_to <= 5
        and frequency_score_to <= 5

)

select count(*) as reachable_segments
from reachable
having count(*) <> 11
