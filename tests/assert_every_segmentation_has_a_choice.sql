{# in YAML, dbt's partial parsing loses it -#}
{{ config(severity='warn') }}

-- too few customers, or all alike: no candidate has two clusters that come back
with

cluster_choices as (

    select * from {{ ref('cluster_choices') }}

),

declared_features as (
    {{ declared_features() }}

)

select distinct declared_features.segmentation

from declared_features
left join cluster_choices
    on declared_features.segmentation = cluster_choices.segmentation
where cluster_choices.segmentation is null
