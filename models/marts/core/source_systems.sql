with

transactions as (

    select * from {{ ref('int_transactions') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

transactions_summed as (

    select
        source_system,
        min(transacted_at) as first_event_at,
        greatest(max(transacted_at), max(completed_at)) as last_event_at,
        count(amount) > 0 as has_amounts

    from transactions
    group by source_system

),

customers_summed as (

    select
        source_system,
        min(joined_at) as first_event_at,
        max(joined_at) as last_event_at

    from customers
    group by source_system

),

events_joined as (

    select
        customers_summed.source_system,
        least(
            transactions_summed.first_event_at, customers_summed.first_event_at
        ) as first_event_at,
        greatest(
            transactions_summed.last_event_at, customers_summed.last_event_at
        ) as last_event_at,
        transactions_summed.source_system is not null as has_transactions,
        coalesce(transactions_summed.has_amounts, false) as has_amounts

    from customers_summed
    left join transactions_summed
        on customers_summed.source_system = transactions_summed.source_system

),

-- a build must be repeatable, so "today" is the day after the last thing that happened
dated as (

    select
        *,
        cast({{ dbt.dateadd('day', 1, 'cast(last_event_at as date)') }} as date)
            as day_after_last_event

    from events_joined

),

source_systems as (

    select
        source_system,
        first_event_at,
        last_event_at,
        {{ as_of_date('source_system', 'day_after_last_event') }} as as_of_date,
        has_transactions,
        has_amounts

    from dated

)

select * from source_systems
