with

entity_totals as (

    select * from {{ ref('int_exploration__entity_totals') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by source_system, entity
            order by net_revenue desc nulls last, purchases desc, entity_key asc
        ) as entity_rank,
        {{ ratio('net_revenue', 'sum(net_revenue) over entities') }} as revenue_share,
        {{ ratio('purchases', 'sum(purchases) over entities') }} as purchase_share

    from entity_totals
    window entities as (partition by source_system, entity)

),

top_entities as (

    select
        source_system,
        entity,
        cast(entity_rank as int) as entity_rank,
        entity_key,
        entity_name,
        net_revenue as revenue,
        revenue_share,
        purchases,
        purchase_share,
        customers

    from ranked
    where entity_rank <= {{ threshold('top_entities') }}

)

select * from top_entities
