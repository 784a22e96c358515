-- Which products go together? The 50 surest pairs of each source system, each pair
-- once. Lift says how many times more often than by chance.
with

product_affinities as (

    select * from {{ ref('product_affinities') }}
    where segmentation = 'all'

),

-- a pair may be among the first of one of its products only
each_pair_once as (

    select
        source_system,
        least(product_key, other_product_key) as product_key,
        greatest(product_key, other_product_key) as other_product_key,
        min(
            case
                when product_key < other_product_key then product_name
                else other_product_name
            end
        ) as product_name,
        min(
            case
                when product_key < other_product_key then other_product_name
                else product_name
            end
        ) as other_product_name,
        min(baskets_together) as baskets_together,
        min(buyers_together) as buyers_together,
        min(lift) as lift,
        min(p_value) as p_value,
        min(q_value) as q_value

    from product_affinities
    group by
        source_system,
        least(product_key, other_product_key),
        greatest(product_key, other_product_key)

),

ranked as (

    select
        *,
        row_number() over (
            partition by source_system
            order by p_value asc, lift desc, product_key asc, other_product_key asc
        ) as pair_rank

    from each_pair_once

)

select
    source_system,
    pair_rank,
    product_name,
    other_product_name,
    baskets_together,
    buyers_together,
    lift,
    q_value,
    product_key,
    other_product_key

from ranked
where pair_rank <= 50
order by source_system asc, pair_rank asc
