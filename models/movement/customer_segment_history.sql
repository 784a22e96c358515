{# the first build after the end of a month adds it; no later build can measure it -#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    full_refresh=false,
) }}

with

recorded_months as (

    {% if is_incremental() -%}
    select distinct
        segmentation,
        month_date

    from {{ this }}
    {%- else -%}
    {{ no_rows({'segmentation': 'string', 'month_date': 'date'}) }}
    {%- endif %}

),

-- the last month that has ended
months as (

    select
        source_system,
        max(month_date) as month_date

    from {{ ref('int_movement__months') }}
    where is_complete
    group by source_system

),

customer_clusters as (

    select * from {{ ref('customer_clusters') }}

),

names as (

    select * from {{ ref('int_segmentation__names') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

customer_months as (

    select * from {{ ref('int_movement__customer_months') }}

),

assigned as (

    select
        customer_clusters.customer_key,
        customer_clusters.source_system,
        customer_clusters.segmentation,
        months.month_date,
        source_systems.as_of_date,
        customer_clusters.fit_id,
        customer_clusters.segment_id,
        coalesce(names.segment_name, 'Not segmented') as segment_name,
        case
            when source_systems.has_amounts
                then cast(coalesce(customer_months.spent, 0) as decimal(18, 2))
        end as month_spent

    from customer_clusters
    inner join months on customer_clusters.source_system = months.source_system
    inner join source_systems
        on customer_clusters.source_system = source_systems.source_system
    left join names
        on
            customer_clusters.segmentation = names.segmentation
            and customer_clusters.segment_id = names.segment_id
    left join customer_months
        on
            customer_clusters.customer_key = customer_months.customer_key
            and months.month_date = customer_months.month_date

),

added as (

    select assigned.*
    from assigned
    left join recorded_months
        on
            assigned.segmentation = recorded_months.segmentation
            and assigned.month_date = recorded_months.month_date
    where recorded_months.month_date is null

)

select * from added
