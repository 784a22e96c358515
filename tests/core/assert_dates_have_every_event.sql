-- a day that is missing would be missing from every metric by day
with

dates as (

    select * from {{ ref('dates') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

ends as (

    select
        source_system,
        cast(first_event_at as date) as event_date

    from source_systems
    where first_event_at is not null

    union all

    select
        source_system,
        cast(last_event_at as date) as event_date

    from source_systems
    where last_event_at is not null

),

spans as (

    select
        min(calendar_date) as first_date,
        max(calendar_date) as last_date,
        count(*) as day_count

    from dates

)

select
    ends.source_system,
    'no such day' as what

from ends
left join dates on ends.event_date = dates.calendar_date
where dates.calendar_date is null

union all

select
    'all' as source_system,
    'a gap' as what

from spans
where
    day_count <> 1 + {{ dbt.datediff(
        'first_date', 'last_date', 'day'
    ) }}
