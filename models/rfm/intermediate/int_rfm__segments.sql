{{ config(materialized='table') }}

with

customer_days as (

    select * from {{ ref('int_features__customer_days') }}
    where frequency is not null and (is_today or is_segment_target_date)

),

cut_points as (

    select * from {{ ref('rfm_cut_points') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

-- customers without a purchase are not scored
scored as (

    select
        customer_days.customer_key,
        customer_days.source_system,
        customer_days.as_of_date,
        customer_days.is_today,
        customer_days.is_segment_target_date,
        customer_days.recency_days,
        customer_days.frequency,
        customer_days.monetary,
        recency.score as recency_score,
        frequency.score as frequency_score,
        monetary.score as monetary_score

    from customer_days
    left join cut_points as recency
        on
            customer_days.source_system = recency.source_system
            and recency.measure = 'recency_days'
            and customer_days.frequency > 0
            and {{ is_between_cut_points('customer_days.recency_days', 'recency') }}
    left join cut_points as frequency
        on
            customer_days.source_system = frequency.source_system
            and frequency.measure = 'frequency'
            and customer_days.frequency > 0
            and {{ is_between_cut_points('customer_days.frequency', 'frequency') }}
    left join cut_points as monetary
        on
            customer_days.source_system = monetary.source_system
            and monetary.measure = 'monetary'
            and customer_days.frequency > 0
            and {{ is_between_cut_points('customer_days.monetary', 'monetary') }}

),

-- the grid names every pair of scores; customers without a purchase count as 0 and 0
named as (

    select
        scored.customer_key,
        scored.source_system,
        scored.as_of_date,
        scored.is_today,
        scored.is_segment_target_date,
        scored.recency_days,
        scored.frequency,
        scored.monetary,
        scored.recency_score,
        scored.frequency_score,
        scored.monetary_score,
        rfm_segments.rfm_segment

    from scored
    left join rfm_segments
        on
            coalesce(scored.recency_score, 0) between
            rfm_segments.recency_score_from and rfm_segments.recency_score_to
            and coalesce(scored.frequency_score, 0) between
            rfm_segments.frequency_score_from and rfm_segments.frequency_score_to

)

select * from named
