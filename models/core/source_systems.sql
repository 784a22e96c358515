with

transactions as (

    {{ union_source_systems('transactions') }}

),

customers as (

    {{ union_source_systems('customers') }}

),

-- a coupon is two events: it is claimed, and it is a purchase once it is redeemed
events as (

    select
        source_system,
        joined_at as happened_at,
        false as is_transaction,
        false as is_purchase,
        false as has_amount

    from customers

    union all

    select
        source_system,
        transacted_at as happened_at,
        true as is_transaction,
        false as is_purchase,
        amount is not null and completed_at is null as has_amount

    from transactions

    union all

    select
        source_system,
        completed_at as happened_at,
        true as is_transaction,
        true as is_purchase,
        amount is not null and completed_at is not null as has_amount

    from transactions

),

-- the day after the last event, and not the day of the build, so that a build can be
-- repeated
last_events as (

    select
        source_system,
        cast(
            {{ dbt.dateadd('day', 1, 'cast(max(happened_at) as date)') }} as date
        ) as day_after_last_event

    from events
    group by source_system

),

as_of_dates as (

    select
        source_system,
        {{ as_of_date('source_system', 'day_after_last_event') }} as as_of_date

    from last_events

),

-- events on or after the as-of date are ignored
source_systems as (

    select
        as_of_dates.source_system,
        as_of_dates.as_of_date,
        cast(
            min(case when events.is_purchase then events.happened_at end) as date
        ) as first_purchase_date,
        min(events.happened_at) as first_event_at,
        max(events.happened_at) as last_event_at,
        coalesce(bool_or(events.is_transaction), false) as has_transactions,
        coalesce(bool_or(events.has_amount), false) as has_amounts

    from as_of_dates
    left join events
        on
            as_of_dates.source_system = events.source_system
            and as_of_dates.as_of_date > events.happened_at
    group by as_of_dates.source_system, as_of_dates.as_of_date

)

select * from source_systems
