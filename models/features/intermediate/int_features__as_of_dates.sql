{{ config(materialized='table') }}

{%- set later = var('prediction')['segment_after_days'] -%}
with

customers as (

    select * from {{ ref('customers') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

first_purchases as (

    select * from {{ ref('int_observations__first_purchases') }}

),

cutoffs as (

    select * from {{ ref('int_prediction__cutoffs') }}

),

today as (

    select
        customers.customer_key,
        customers.source_system,
        source_systems.as_of_date,
        true as is_present,
        false as is_later,
        false as is_cutoff

    from customers
    inner join source_systems
        on customers.source_system = source_systems.source_system

),

-- the same time after the first purchase for all: whoever has not had it is left out
after_first_purchase as (

    select
        first_purchases.customer_key,
        first_purchases.source_system,
        cast(
            {{ dbt.dateadd('day', later, 'first_purchases.day_after_date') }} as date
        ) as as_of_date,
        false as is_present,
        true as is_later,
        false as is_cutoff

    from first_purchases

),

-- the past days at which models learn and are tested
at_cutoffs as (

    select
        first_purchases.customer_key,
        first_purchases.source_system,
        cutoffs.cutoff_date as as_of_date,
        false as is_present,
        false as is_later,
        true as is_cutoff

    from first_purchases
    inner join cutoffs
        on
            first_purchases.source_system = cutoffs.source_system
            and first_purchases.first_purchase_date < cutoffs.cutoff_date

),

united as (

    select * from today
    union all
    select * from after_first_purchase
    union all
    select * from at_cutoffs

),

-- a day that is both today and a past day's end is one observation
observed as (

    select
        united.customer_key,
        united.source_system,
        united.as_of_date,
        bool_or(united.is_present) as is_present,
        bool_or(united.is_later) as is_later,
        bool_or(united.is_cutoff) as is_cutoff

    from united
    inner join source_systems on united.source_system = source_systems.source_system
    where united.is_present or united.as_of_date <= source_systems.as_of_date
    group by united.customer_key, united.source_system, united.as_of_date

)

select * from observed
