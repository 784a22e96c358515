with

entity_totals as (

    select * from {{ ref('int_exploration__entity_totals') }}

),

-- a customer with returns only brought nothing
sellers as (

    select
        source_system,
        entity,
        entity_key,
        net_revenue,
        gross_revenue

    from entity_totals
    where entity in ('customer', 'product') and gross_revenue > 0

),

measured as (

    select
        source_system,
        entity,
        entity_key,
        'gross_revenue' as measure,
        gross_revenue as revenue

    from sellers

    union all

    select
        source_system,
        entity,
        entity_key,
        'net_revenue' as measure,
        net_revenue as revenue

    from sellers

),

ranked as (

    select
        *,
        row_number() over (
            partition by source_system, entity, measure
            order by revenue desc, entity_key asc
        ) as revenue_rank,
        count(*) over (partition by source_system, entity, measure) as entities

    from measured

),

top_percents as (

    {% for percent in (1, 5, 10, 20, 50) -%}
    select {{ percent }} as top_percent
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- of 250 customers, the top 1 % are 3: what is not whole is rounded up
summed as (

    select
        ranked.source_system,
        ranked.entity,
        ranked.measure,
        top_percents.top_percent,
        ranked.entities,
        cast(sum(ranked.revenue) as decimal(18, 2)) as revenue,
        cast(
            sum(
                case
                    when
                        100 * (ranked.revenue_rank - 1)
                        < top_percents.top_percent * ranked.entities
                        then ranked.revenue
                end
            ) as decimal(18, 2)
        ) as top_revenue,
        count(*) filter (
            where
            100 * (ranked.revenue_rank - 1) < top_percents.top_percent * ranked.entities
        ) as top_entities

    from ranked
    cross join top_percents
    group by
        ranked.source_system,
        ranked.entity,
        ranked.measure,
        top_percents.top_percent,
        ranked.entities

),

revenue_concentration as (

    select
        *,
        case when revenue > 0 then {{ ratio('top_revenue', 'revenue') }} end
            as revenue_share

    from summed

)

select * from revenue_concentration
