with

significant_pairs as (

    select * from {{ ref('int_exploration__significant_pairs') }}

),

-- each pair is found by either of the two
both_ways as (

    select
        scope_number,
        entity_number,
        other_entity_number,
        all_baskets,
        baskets,
        other_baskets,
        baskets_together,
        buyers_together,
        expected_baskets,
        p_value,
        q_value

    from significant_pairs

    union all

    select
        scope_number,
        other_entity_number as entity_number,
        entity_number as other_entity_number,
        all_baskets,
        other_baskets as baskets,
        baskets as other_baskets,
        baskets_together,
        buyers_together,
        expected_baskets,
        p_value,
        q_value

    from significant_pairs

),

ranked as (

    select
        *,
        row_number() over (
            partition by scope_number, entity_number
            order by
                p_value asc,
                baskets_together / expected_baskets desc,
                other_entity_number asc
        ) as affinity_rank

    from both_ways

),

top_pairs as (

    select * from ranked
    where affinity_rank <= {{ threshold('affinity_top') }}

)

select * from top_pairs
