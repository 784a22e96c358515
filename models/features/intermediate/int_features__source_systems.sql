{{ config(materialized='table') }}

with

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}

),

-- what a source system never records is unknown there, and not zero; one that knows
-- only days has all its purchases at midnight
transactions_summed as (

    select
        source_system,
        bool_or(is_return) as has_returns,
        bool_or(status in ('claimed', 'redeemed')) as has_coupons,
        bool_or(merchant_key is not null) as has_merchants,
        bool_or(completed_at <> date_trunc('day', completed_at)) as has_times

    from transactions
    group by source_system

),

lines_summed as (

    select
        source_system,
        bool_or(is_product) as has_products

    from transaction_lines
    group by source_system

),

flagged as (

    select
        source_systems.source_system,
        source_systems.as_of_date,
        source_systems.has_transactions,
        coalesce(transactions_summed.has_returns, false) as has_returns,
        coalesce(transactions_summed.has_coupons, false) as has_coupons,
        coalesce(transactions_summed.has_merchants, false) as has_merchants,
        coalesce(transactions_summed.has_times, false) as has_times,
        coalesce(lines_summed.has_products, false) as has_products

    from source_systems
    left join transactions_summed
        on source_systems.source_system = transactions_summed.source_system
    left join lines_summed
        on source_systems.source_system = lines_summed.source_system

)

select * from flagged
