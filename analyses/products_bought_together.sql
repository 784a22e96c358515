-- Which products go together? The 50 surest pairs of each source system, each pair
-- once. Lift says how many times more often than by chance.
with

product_affinities as (

    select * from {{ ref('product_affinities') }}
    where segmentation = 'all' and entity = 'product'

),

-- a pair may be among the first of one of its products only
each_pair_once as (

    select
        source_system,
        least(entity_key, other_entity_key) as entity_key,
        greatest(entity_key, other_entity_key) as other_entity_key,
        min(
            case
                when entity_key < other_entity_key then entity_name
                else other_entity_name
            end
        ) as entity_name,
        min(
            case
                when entity_key < other_entity_key then other_entity_name
                else entity_name
            end
        ) as other_entity_name,
        min(baskets_together) as baskets_together,
        min(buyers_together) as buyers_together,
        min(lift) as lift,
        min(p_value) as p_value,
        min(q_value) as q_value

    from product_affinities
    group by
        source_system,
        least(entity_key, other_entity_key),
        greatest(entity_key, other_entity_key)

),

ranked as (

    select
        *,
        row_number() over (
            partition by source_system
            order by p_value asc, lift desc, entity_key asc, other_entity_key asc
        ) as pair_rank

    from each_pair_once

)

select
    source_system,
    pair_rank,
    entity_name,
    other_entity_name,
    baskets_together,
    buyers_together,
    lift,
    q_value,
    entity_key,
    other_entity_key

from ranked
where pair_rank <= 50
order by source_system asc, pair_rank asc
