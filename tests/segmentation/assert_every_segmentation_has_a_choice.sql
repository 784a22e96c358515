{# in YAML, dbt's partial parsing loses it -#}
{{ config(severity='warn') }}

-- with too few customers, or only equal ones, no candidate has two stable clusters
with

cluster_choices as (

    select * from {{ ref('cluster_choices') }}

),

declared_features as (
    {{ declared_features() }}

)

select distinct
    declared_features.segmentation,
    declared_features.segmentation || case
        when customers.source_system is null
            then
                ': ' || declared_features.source_system
                || ' has no customers, so there are no segments; land files with the'
                || ' ids of customers'
        else
            ': no algorithm finds two clusters that come back in resamples, so there'
            || ' are no segments; see cluster_candidates, or declare other features'
    end as message

from declared_features
left join cluster_choices
    on declared_features.segmentation = cluster_choices.segmentation
left join customers on declared_features.source_system = customers.source_system
where cluster_choices.segmentation is null
