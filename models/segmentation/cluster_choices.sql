with

candidates as (

    select * from {{ ref('int_segmentation__candidates') }}

),

-- the root of k is a factor, because the silhouette alone favours few segments that
-- merge neighbours
measured as (

    select
        *,
        round(silhouette * sqrt(n_clusters), 9) as separation,
        coalesce(smallest_share >= minimum_share, false)
        and coalesce(noise_share, 0) <= {{ threshold('max_noise_share') }}
            as is_large_enough,
        {{ nulls_beaten() }} as nulls_beaten,
        coalesce(gap_p_value <= {{ threshold('significance') }}, false) as has_gaps,
        coalesce(border_density <= {{ threshold('max_border_density') }}, false)
            as is_apart,
        -- above these thresholds, resamples differ by chance only
        stability_mean >= {{ threshold('full_mean_stability') }}
        and coalesce(stability_min >= {{ threshold('full_min_stability') }}, false)
            as is_fully_stable

    from candidates

),

called as (

    select
        *,
        {{ segmentation_verdict() }} as verdict

    from measured

),

-- the rows of subsamples repeat the candidate as other draws would measure it
shared as (

    select
        *,
        count(subsample) over (
            partition by segmentation, algorithm, setting, verdict
        ) as agreeing_subsamples,
        count(subsample) over (
            partition by segmentation, algorithm, setting
        ) as subsamples

    from called

),

-- candidates with one cluster, or without resamples, cannot be chosen
judged as (

    select * from shared
    where subsample is null and n_clusters >= 2 and stability_mean is not null

),

-- shuffled data have the groups that one feature sets apart, so gaps count beside them
counted as (

    select
        *,
        case when nulls_beaten = 0 and has_gaps then 1 else nulls_beaten end as evidence

    from judged

),

-- stability is compared between candidates that are equal in the earlier criteria
compared as (

    select
        *,
        max(stability_mean) over (
            partition by segmentation, is_pinned, is_large_enough, evidence
        ) - {{ threshold('stability_tolerance') }} as enough_stability

    from counted

),

-- separation prefers round segments, so those that cut through a crowd come last
ranked as (

    select
        *,
        row_number() over (
            partition by segmentation
            order by
                is_pinned desc,
                is_large_enough desc,
                evidence desc,
                is_fully_stable desc,
                is_fully_stable or stability_mean >= enough_stability desc,
                is_apart desc,
                separation desc nulls last,
                n_clusters asc,
                algorithm asc,
                setting asc
        ) as choice_rank

    from compared

),

chosen as (

    select
        segmentation,
        source_system,
        algorithm,
        setting,
        n_clusters,
        verdict,
        {{ ratio('agreeing_subsamples', 'subsamples') }} as verdict_share,
        is_pinned,
        is_large_enough,
        nulls_beaten,
        has_gaps,
        customers,
        excluded_customers,
        stability_mean,
        stability_min,
        separation,
        silhouette,
        smallest_share,
        noise_share,
        structure_p_value,
        correlation_p_value,
        gap_p_value,
        border_density,
        structure_excess

    from ranked
    where choice_rank = 1

)

select * from chosen
