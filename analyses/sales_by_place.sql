-- Which countries and cities bring the revenue, in all and per customer? The places are
-- those of customers, so guests are missing.
with

top_entities as (

    select * from {{ ref('top_entities') }}
    where entity in ('country', 'city')

)

select
    source_system,
    entity,
    entity_rank,
    entity_name as place,
    customers,
    purchases,
    revenue,
    revenue_share,
    {{ ratio('revenue', 'customers') }} as revenue_per_customer

from top_entities
order by source_system asc, entity asc, entity_rank asc
