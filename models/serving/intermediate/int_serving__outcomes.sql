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

transactions_found as (

    select
        participants.campaign,
        participants.source_system,
        participants.customer_key,
        transactions.amount,
        transactions.is_completed,
        transactions.counted_date < runs.start_date as is_before,
        {{ dbt.datediff('transactions.counted_date', 'runs.start_date', 'day') }}
            as days_before_start

    from participants
    inner join runs
        on
            participants.campaign = runs.campaign
            and participants.source_system = runs.source_system
    inner join transactions
        on
            participants.customer_key = transactions.customer_key
            and runs.history_date <= transactions.counted_date
            and runs.end_date > transactions.counted_date

),

counted as (

    select
        campaign,
        source_system,
        customer_key,
        sum(amount) filter (where not is_before) as spend,
        sum(amount) filter (where is_before) as spend_before,
        count(*) filter (where is_completed and not is_before) as purchases,
        count(*) filter (where is_completed and is_before) as purchases_before,
        min(days_before_start) filter (where is_completed and is_before)
            as recency_days,
        max(days_before_start) filter (where is_completed and is_before) as age_days

    from transactions_found
    group by campaign, source_system, customer_key

),

-- whoever did nothing spent 0
outcomes as (

    select
        participants.campaign,
        participants.source_system,
        participants.customer_key,
        participants.is_treated,
        participants.is_reached,
        cast(coalesce(counted.spend, 0) as decimal(18, 2)) as spend,
        cast(coalesce(counted.spend_before, 0) as decimal(18, 2))
            as spend_before,
        cast(least(coalesce(counted.purchases, 0), 1) as decimal(18, 2))
            as buyers,
        cast(
            least(coalesce(counted.purchases_before, 0), 1) as decimal(18, 2)
        ) as buyers_before,
        coalesce(counted.purchases_before, 0) as purchases_before,
        coalesce(counted.recency_days, {{ var('campaign_history_days') }})
            as recency_days,
        coalesce(counted.age_days, 0) as age_days

    from participants
    left join counted
        on
            participants.campaign = counted.campaign
            and participants.source_system = counted.source_system
            and participants.customer_key = counted.customer_key

)

select * from outcomes
