{{ config(materialized='table') }}

with

basket_lines as (

    select * from {{ ref('int_exploration__basket_lines') }}

),

buyer_scopes as (

    select * from {{ ref('int_exploration__buyer_scopes') }}

),

baskets as (

    select distinct
        buyer_number,
        basket_number,
        month_date,
        basket_entities

    from basket_lines

),

counted as (

    select
        buyer_scopes.scope_number,
        baskets.month_date,
        baskets.basket_entities,
        count(*) as baskets

    from baskets
    inner join buyer_scopes on baskets.buyer_number = buyer_scopes.buyer_number
    group by
        buyer_scopes.scope_number,
        baskets.month_date,
        baskets.basket_entities

)

select * from counted
