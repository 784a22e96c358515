-- each of the 125 triples of scores, and no purchase, is in exactly one rectangle of
-- the grid
with

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

scores as (

    {% for score in range(1, 6) -%}
    select {{ score }} as score
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

cells as (

    select
        recency.score as recency_score,
        frequency.score as frequency_score,
        monetary.score as monetary_score

    from scores as recency
    cross join scores as frequency
    cross join scores as monetary

    union all

    -- customers without a purchase have no scores
    select
        0 as recency_score,
        0 as frequency_score,
        0 as monetary_score

)

select
    cells.recency_score,
    cells.frequency_score,
    cells.monetary_score,
    count(rfm_segments.rfm_segment) as segment_count

from cells
left join rfm_segments
    on
        cells.recency_score between
        rfm_segments.recency_score_from and rfm_segments.recency_score_to
        and cells.frequency_score between
        rfm_segments.frequency_score_from and rfm_segments.frequency_score_to
group by cells.recency_score, cells.frequency_score, cells.monetary_score
having count(rfm_segments.rfm_segment) <> 1
