{{ config(
    group='warehouse',
    fail_calc='coalesce(max(severity_level), 0)',
    warn_if='>= 1',
    error_if='>= 2',
) }}

-- fails where the as-of date leaves no event, so that every mart would be empty; warns
-- where it is far behind the last event, so that every customer looks lost
with

source_systems as (

    select * from {{ ref('source_systems') }}

),

-- all events, those on or after the as-of date too
customers as (

    {{ union_source_systems('customers') }}

),

transactions as (

    {{ union_source_systems('transactions') }}

),

events as (

    select
        source_system,
        joined_at as happened_at

    from customers

    union all

    select
        source_system,
        transacted_at as happened_at

    from transactions

    union all

    select
        source_system,
        completed_at as happened_at

    from transactions

),

spans as (

    select
        source_system,
        cast(min(happened_at) as date) as first_date,
        cast(max(happened_at) as date) as last_date

    from events
    where happened_at is not null
    group by source_system

),

judged as (

    select
        source_systems.source_system,
        source_systems.as_of_date,
        spans.first_date,
        spans.last_date,
        case
            when source_systems.as_of_date <= spans.first_date then 2
            when
                {{ dbt.datediff(
                    'spans.last_date', 'source_systems.as_of_date', 'day'
                ) }}
                > {{ threshold('max_as_of_date_lead_days') }}
                then 1
            else 0
        end as severity_level

    from source_systems
    inner join spans on source_systems.source_system = spans.source_system

)

select
    severity_level,
    source_system,
    as_of_date,
    source_system || ': the as-of date ' || cast(as_of_date as string)
    || case severity_level
        when 2 then ' is not after the first event of ' || cast(first_date as string)
        else ' is long after the last event of ' || cast(last_date as string)
    end
    || case severity_level
        when 2 then ', so no event counts; set the var as_of_date to a later date'
        else
            ', so every customer looks lost; land newer data, or set the var as_of_date'
            || ' to the day after the last event'
    end as message

from judged
where severity_level > 0
