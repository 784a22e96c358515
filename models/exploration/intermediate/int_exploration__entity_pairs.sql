{{ config(materialized='table') }}

with

basket_lines as (

    select * from {{ ref('int_exploration__basket_lines') }}

),

buyer_scopes as (

    select * from {{ ref('int_exploration__buyer_scopes') }}

),

-- each pair once, with the lower number first
pairs_of_buyers as (

    select
        basket_lines.buyer_number,
        basket_lines.entity_number,
        other_lines.entity_number as other_entity_number,
        count(*) as baskets

    from basket_lines
    inner join basket_lines as other_lines
        on
            basket_lines.basket_number = other_lines.basket_number
            and basket_lines.entity_number < other_lines.entity_number
    group by
        basket_lines.buyer_number,
        basket_lines.entity_number,
        other_lines.entity_number

),

-- baskets of one buyer are alike, so buyers are what counts
summed_to_scopes as (

    select
        buyer_scopes.scope_number,
        pairs_of_buyers.entity_number,
        pairs_of_buyers.other_entity_number,
        cast(sum(pairs_of_buyers.baskets) as bigint) as baskets_together,
        count(*) as buyers_together

    from pairs_of_buyers
    inner join buyer_scopes on pairs_of_buyers.buyer_number = buyer_scopes.buyer_number
    group by
        buyer_scopes.scope_number,
        pairs_of_buyers.entity_number,
        pairs_of_buyers.other_entity_number
    having count(*) >= {{ threshold('affinity_min_buyers') }}

)

select * from summed_to_scopes
