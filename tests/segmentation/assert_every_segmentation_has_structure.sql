{# in YAML, dbt's partial parsing loses it -#}
{{ config(severity='warn') }}

-- segments that data without segments would show too are published with the verdict
-- `none`
with

cluster_choices as (

    select * from {{ ref('cluster_choices') }}

)

select
    segmentation,
    algorithm,
    setting,
    structure_p_value,
    correlation_p_value,
    segmentation || ': shuffled customers look as clustered (p = '
    || cast(cast(structure_p_value as decimal(9, 2)) as string)
    || '), so its segments sort customers and no more; see cluster_candidates, or'
    || ' declare other features' as message

from cluster_choices
where verdict = 'none'
