-- the last event makes the as-of date, so one wrong date moves every recency: no event
-- is in the future, nor are the last few events far beyond all others
with

customers as (

    select * from {{ ref('customers') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

events as (

    select
        source_system,
        cast(joined_at as date) as event_date

    from customers

    union all

    select
        source_system,
        cast(transacted_at as date) as event_date

    from transactions

    union all

    select
        source_system,
        cast(completed_at as date) as event_date

    from transactions

),

counted_by_day as (

    select
        source_system,
        event_date,
        count(*) as event_count

    from events
    where event_date is not null
    group by source_system, event_date

),

days_compared as (

    select
        source_system,
        event_date,
        lag(event_date) over (
            partition by source_system order by event_date
        ) as previous_date,
        sum(event_count) over (
            partition by source_system order by event_date desc
        ) as last_events,
        sum(event_count) over (partition by source_system) as all_events

    from counted_by_day

),

-- a day of grace, because some clocks are ahead of UTC
judged as (

    select
        *,
        event_date > cast(
            '{{ (run_started_at + modules.datetime.timedelta(days=1)).date() }}' as date
        ) as is_future,
        coalesce(
            {{ dbt.datediff('previous_date', 'event_date', 'day') }}
            > {{ threshold('max_event_gap_days') }}
            and last_events <= all_events * {{ threshold('max_stray_event_share') }},
            false
        ) as is_far_beyond

    from days_compared

),

numbered as (

    select
        *,
        row_number() over (
            partition by source_system order by event_date
        ) as day_number

    from judged
    where is_future or is_far_beyond

)

select
    source_system,
    event_date,
    previous_date,
    last_events,
    source_system || ': ' || cast(last_events as string) || ' of '
    || cast(all_events as string) || ' events are dated '
    || cast(event_date as string) || ' or later, '
    || case when is_future then 'in the future' else 'far beyond the others' end
    || coalesce(
        ' (the last one before is of ' || cast(previous_date as string) || ')', ''
    )
    || '; correct these dates and land the file again, or set the var as_of_date to '
    || cast(event_date as string) || ' or earlier to ignore them' as message

from numbered
where day_number = 1
