{{ config(materialized='table') }}

with

basket_lines as (

    select * from {{ ref('int_exploration__basket_lines') }}

),

buyer_scopes as (

    select * from {{ ref('int_exploration__buyer_scopes') }}

),

counted as (

    select
        buyer_scopes.scope_number,
        basket_lines.month_date,
        basket_lines.entity_number,
        count(*) as baskets

    from basket_lines
    inner join buyer_scopes on basket_lines.buyer_number = buyer_scopes.buyer_number
    group by
        buyer_scopes.scope_number,
        basket_lines.month_date,
        basket_lines.entity_number

)

select * from counted
