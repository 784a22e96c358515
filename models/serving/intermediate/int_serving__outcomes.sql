{{ config(materialized='table') }}

with

runs as (

    select * from {{ ref('int_serving__runs') }}

),

participants as (

    select * from {{ ref('int_serving__participants') }}

),

transactions as (

    select
        *,
        cast(coalesce(completed_at, transacted_at) as date) as counted_date

    from {{ ref('transactions') }}

),

transactions_counted as (

    select
        participants.campaign,
        participants.source_system,
        participants.customer_key,
        sum(transactions.amount) filter (where transactions.counted_date >= runs.start_date)
            as spend,
        sum(transactions.amount) filter (where transactions.counted_date < runs.start_date)
            as spend_before,
        count(*) filter (
            where transactions.is_completed and transactions.counted_date >= runs.start_date
        ) as purchases,
        count(*) filter (
            where transactions.is_completed and transactions.counted_date < runs.start_date
        ) as purchases_before

    from participants
    inner join runs
        on
            participants.campaign = runs.campaign
            and participants.source_system = runs.source_system
    inner join transactions
        on
            participants.customer_key = transactions.customer_key
            and transactions.counted_date >= runs.history_date
            and transactions.counted_date < runs.end_date
    group by
        participants.campaign,
        participants.source_system,
        participants.customer_key

),

-- whoever did nothing spent 0
outcomes as (

    select
        participants.campaign,
        participants.source_system,
        participants.customer_key,
        participants.is_treated,
        participants.is_reached,
        cast(coalesce(transactions_counted.spend, 0) as decimal(18, 2)) as spend,
        cast(coalesce(transactions_counted.spend_before, 0) as decimal(18, 2))
            as spend_before,
        cast(coalesce(least(transactions_counted.purchases, 1), 0) as decimal(18, 2))
            as buyers,
        cast(coalesce(least(transactions_counted.purchases_before, 1), 0) as decimal(18, 2))
            as buyers_before

    from participants
    left join transactions_counted
        on
            participants.campaign = transactions_counted.campaign
            and participants.source_system = transactions_counted.source_system
            and participants.customer_key = transactions_counted.customer_key

)

select * from outcomes
