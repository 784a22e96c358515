with

source_systems as (

    select * from {{ ref('source_systems') }}

),

-- whole calendar years, so that a month or a year is never cut off
ranges as (

    select
        cast(date_trunc('year', min(first_event_at)) as date) as first_date,
        cast(date_trunc('year', max(last_event_at)) as date) as last_year_date

    from source_systems

),

-- four centuries, after which the calendar repeats: no record is longer
numbers as (

    select cast(numbers.id as int) as days_after_first
    from range(146097) as numbers (id)

),

days as (

    select
        cast(
            {{ dbt.dateadd('day', 'numbers.days_after_first', 'ranges.first_date') }}
            as date
        ) as calendar_date,
        ranges.last_year_date

    from ranges
    cross join numbers
    where ranges.first_date is not null

),

within_range as (

    select
        calendar_date,
        cast(date_trunc('week', calendar_date) as date) as week_date

    from days
    where year(calendar_date) <= year(last_year_date)

),

-- the Thursday of an ISO week is in the year that the week belongs to
thursdays as (

    select
        *,
        cast({{ dbt.dateadd('day', 3, 'week_date') }} as date) as thursday_date,
        1 + cast(
            {{ dbt.datediff(
                'week_date', 'calendar_date', 'day'
            ) }} as int
        ) as weekday_number

    from within_range

),

dates as (

    select
        calendar_date,
        week_date,
        weekday_number,
        cast(date_trunc('month', calendar_date) as date) as month_date,
        cast(date_trunc('quarter', calendar_date) as date) as quarter_date,
        cast(date_trunc('year', calendar_date) as date) as year_date,
        cast(year(calendar_date) as int) as year_number,
        cast(quarter(calendar_date) as int) as quarter_number,
        cast(month(calendar_date) as int) as month_number,
        cast(year(thursday_date) as int) as iso_year_number,
        cast(floor((dayofyear(thursday_date) - 1) / 7) + 1 as int) as iso_week_number,
        cast(dayofmonth(calendar_date) as int) as day_of_month,
        cast(dayofyear(calendar_date) as int) as day_of_year,
        weekday_number >= 6 as is_weekend

    from thursdays

)

select * from dates
