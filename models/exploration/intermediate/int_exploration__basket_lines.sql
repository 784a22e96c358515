{{ config(materialized='table') }}

with

chosen as (

    select * from {{ ref('int_exploration__transaction_entities') }}
    where has_pieces

),

baskets as (

    select * from {{ ref('int_exploration__baskets') }}

),

buyers as (

    select
        source_system,
        entity,
        buyer_key,
        sum(entities) as entities,
        row_number() over (order by entity desc, buyer_key asc) as buyer_number

    from baskets
    group by source_system, entity, buyer_key

),

-- of very many baskets, those of the buyers with the lowest hash are enough
sampled as (

    select
        *,
        sum(entities) over (
            partition by source_system, entity
            order by md5(buyer_key) asc, buyer_key asc
            rows between unbounded preceding and current row
        ) as cumulated_entities

    from buyers

),

lines_of_sample as (

    select
        baskets.source_system,
        baskets.entity,
        baskets.basket_number,
        baskets.customer_key,
        baskets.month_date,
        sampled.buyer_number,
        chosen.entity_key

    from chosen
    inner join baskets
        on
            chosen.transaction_key = baskets.transaction_key
            and chosen.entity = baskets.entity
    inner join sampled
        on
            baskets.buyer_key = sampled.buyer_key
            and baskets.entity = sampled.entity
    where sampled.cumulated_entities <= {{ threshold('affinity_max_lines') }}

),

entities_numbered as (

    select
        source_system,
        entity,
        entity_key,
        count(*) as baskets,
        row_number() over (
            partition by source_system, entity
            order by count(*) desc, entity_key asc
        ) as entity_number

    from lines_of_sample
    group by source_system, entity, entity_key

),

-- few baskets can show no affinity
lines_of_tested as (

    select
        lines_of_sample.*,
        cast(entities_numbered.entity_number as int) as entity_number,
        count(*) over (partition by lines_of_sample.basket_number) as basket_entities

    from lines_of_sample
    inner join entities_numbered
        on
            lines_of_sample.entity = entities_numbered.entity
            and lines_of_sample.entity_key = entities_numbered.entity_key
    where
        entities_numbered.baskets >= {{ threshold('affinity_min_baskets') }}
        and entities_numbered.entity_number
        <= {{ threshold('affinity_max_products') }}

)

select * from lines_of_tested
where basket_entities >= 2
