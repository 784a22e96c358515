{{ config(materialized='table') }}

with

affinities as (

    select * from {{ ref('int_exploration__affinities') }}

),

scope_entities as (

    select * from {{ ref('int_exploration__scope_entities') }}

),

scope_baskets as (

    select * from {{ ref('int_exploration__scope_baskets') }}

),

baskets_counted as (

    select
        scope_number,
        cast(sum(baskets) as bigint) as all_baskets

    from scope_baskets
    group by scope_number

),

-- which products are tested depends on their baskets alone, and not on their pairs
tested_products as (

    select
        scope_number,
        entity_number,
        cast(sum(baskets) as bigint) as baskets

    from scope_entities
    group by scope_number, entity_number
    having sum(baskets) >= {{ threshold('affinity_min_baskets') }}

),

-- pairs of too few buyers are tested, too, and not significant
tests_counted as (

    select
        scope_number,
        count(*) * (count(*) - 1) / 2 as tests

    from tested_products
    group by scope_number

),

tested_pairs as (

    select
        affinities.*,
        tested_products.baskets,
        other_products.baskets as other_baskets,
        baskets_counted.all_baskets,
        tests_counted.tests,
        count(*) over (
            partition by affinities.scope_number
            order by affinities.p_value
            range between unbounded preceding and current row
        ) as pairs_up_to

    from affinities
    inner join tested_products
        on
            affinities.scope_number = tested_products.scope_number
            and affinities.entity_number = tested_products.entity_number
    inner join tested_products as other_products
        on
            affinities.scope_number = other_products.scope_number
            and affinities.other_entity_number = other_products.entity_number
    inner join tests_counted on affinities.scope_number = tests_counted.scope_number
    inner join baskets_counted
        on affinities.scope_number = baskets_counted.scope_number

),

-- Benjamini and Hochberg: so many false discoveries are expected among the pairs up to
-- a p-value, at most. Spark would add up a frame that ends with the last row anew for
-- each row
controlled as (

    select
        *,
        min(least(1, p_value * tests / pairs_up_to)) over (
            partition by scope_number
            order by p_value desc
            range between unbounded preceding and current row
        ) as q_value

    from tested_pairs

),

significant_pairs as (

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

    from controlled
    where q_value <= {{ threshold('affinity_max_q_value') }}

)

select * from significant_pairs
