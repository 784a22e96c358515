-- each rectangle of the grid holds a pair of scores, or the 0 and 0 of no purchase
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
    not coalesce(
        (
            recency_score_from between 1 and recency_score_to
            and frequency_score_from between 1 and frequency_score_to
            and recency_score_to <= 5
            and frequency_score_to <= 5
        )
        or (
            rfm_segment = 'Prospects'
            and greatest(
                recency_score_from, recency_score_to,
                frequency_score_from, frequency_score_to
            ) = 0
        ),
        false
    )
