{%- set rules = var('segmentation_rules') -%}
with

cluster_candidates as (

    select * from {{ ref('cluster_candidates') }}

),

-- what collapsed to one cluster, or could not be drawn again, is no choice; times the
-- root of k, the silhouette does not favour segments that merge neighbours
judged as (

    select
        *,
        round(silhouette * sqrt(n_clusters), 9) as separation,
        coalesce(smallest_share >= minimum_share, false)
        and coalesce(noise_share, 0) <= {{ rules.max_noise_share }} as is_large_enough,
        case
            when
                structure_p_value <= {{ rules.significance }}
                and correlation_p_value <= {{ rules.significance }}
                then 2
            when structure_p_value <= {{ rules.significance }} then 1
            else 0
        end as nulls_beaten,
        -- resamples differ by chance: past this, one is as stable as the other
        stability_mean >= {{ rules.fully_stable_mean }}
        and coalesce(stability_min >= {{ rules.fully_stable_least }}, false)
            as is_fully_stable

    from cluster_candidates
    where n_clusters >= 2 and stability_mean is not null

),

-- candidates of one class are large enough alike and beat as many kinds of null data
compared as (

    select
        *,
        max(stability_mean) over (
            partition by segmentation, is_pinned, is_large_enough, nulls_beaten
        ) as best_stability

    from judged

),

ranked as (

    select
        *,
        row_number() over (
            partition by segmentation
            order by
                is_pinned desc,
                is_large_enough desc,
                nulls_beaten desc,
                is_fully_stable desc,
                is_fully_stable or stability_mean
                >= best_stability - {{ rules.stability_tolerance }} desc,
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
        case
            when
                nulls_beaten = 2 and is_large_enough
                and stability_mean >= {{ rules.stable_mean }}
                and stability_min >= {{ rules.stable_least }}
                then 'strong'
            when nulls_beaten >= 1 then 'weak'
            else 'none'
        end as verdict,
        is_pinned,
        is_large_enough,
        nulls_beaten,
        customers,
        left_out,
        stability_mean,
        stability_min,
        separation,
        silhouette,
        smallest_share,
        noise_share,
        structure_p_value,
        correlation_p_value,
        structure_excess

    from ranked
    where choice_rank = 1

)

select * from chosen
