{# in YAML, dbt's partial parsing loses it -#}
{{ config(severity='warn') }}

-- segments that data without segments would show as well are published, and named here
with

cluster_choices as (

    select * from {{ ref('cluster_choices') }}

)

select
    segmentation,
    algorithm,
    setting,
    structure_p_value,
    correlation_p_value

from cluster_choices
where verdict = 'none'
