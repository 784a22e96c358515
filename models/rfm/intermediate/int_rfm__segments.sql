with

measures as (

    select * from {{ ref('int_rfm__measures') }}

),

cut_points as (

    select * from {{ ref('rfm_cut_points') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

-- who never bought gets no scores
scored as (

    select
        measures.*,
        recency.score as recency_score,
        frequency.score as frequency_score,
        monetary.score as monetary_score

    from measures
    {% for measure, column in [
        ('recency', 'recency_days'), ('frequency', 'frequency'), ('monetary', 'monetary'),
    ] -%}
    left join cut_points as {{ measure }}
        on
            measures.source_system = {{ measure }}.source_system
            and {{ measure }}.measure = '{{ column }}'
            and measures.frequency > 0
            and (
                {{ measure }}.above is null
                or measures.{{ column }} > {{ measure }}.above
            )
            and (
                {{ measure }}.up_to is null
                or measures.{{ column }} <= {{ measure }}.up_to
            )
            and measures.{{ column }} is not null
    {% endfor %}

),

named as (

    select
        scored.customer_key,
        scored.source_system,
        scored.as_of_date,
        scored.is_present,
        scored.recency_days,
        scored.frequency,
        scored.monetary,
        scored.recency_score,
        scored.frequency_score,
        scored.monetary_score,
        coalesce(rfm_segments.rfm_segment, 'Prospects') as rfm_segment

    from scored
    left join rfm_segments
        on
            scored.recency_score between
            rfm_segments.recency_score_from and rfm_segments.recency_score_to
            and scored.frequency_score between
            rfm_segments.frequency_score_from and rfm_segments.frequency_score_to

)

select * from named
