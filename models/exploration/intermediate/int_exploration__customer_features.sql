{{ config(materialized='table') }}

with

customer_days as (

    select * from {{ ref('int_features__customer_days') }}
    where is_today

),

customer_features as (

    select
        {% for feature in explored_features() -%}
        cast({{ feature }} as double) as {{ feature }},
        {% endfor -%}
        customer_key,
        source_system

    from customer_days

)

select * from customer_features
