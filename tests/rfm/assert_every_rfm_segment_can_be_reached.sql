-- each rectangle of the grid holds at least one pair of scores, and one row names customers
-- without scores
with

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

)

select
    rfm_segment,
    recency_score_from,
    recency_score_to,
    frequency_score_from,
    frequency_score_to

from rfm_segments
where
    recency_score_from is not null
    and not coalesce(
        recency_score_from between 1 and recency_score_to
        and frequency_score_from between 1 and frequency_score_to
        and recency_score_to <= 5
        and frequency_score_to <= 5,
        false
    )

union all

select
    'no name for customers without scores' as rfm_segment,
    min(recency_score_from) as recency_score_from,
    min(recency_score_to) as recency_score_to,
    min(frequency_score_from) as frequency_score_from,
    min(frequency_score_to) as frequency_score_to

from rfm_segments
having count(*) filter (where recency_score_from is null) <> 1
