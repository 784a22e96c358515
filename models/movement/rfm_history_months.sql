with

history as (

    select * from {{ ref('customer_rfm_history') }}

),

changes as (

    select * from {{ ref('int_movement__history_changes') }}

),

recorded as (

    select
        source_system,
        month_date,
        as_of_date,
        cast(sum(month_purchases) as bigint) as purchases,
        cast(sum(month_spent) as decimal(18, 2)) as revenue,
        count(*) as customers,
        count(*) filter (where frequency > 0) as buyers,
        count(*) filter (where month_purchases > 0) as active_customers

    from history
    group by source_system, month_date, as_of_date

),

changes_counted as (

    select
        source_system,
        month_date,
        count(*) as changed_customers

    from changes
    group by source_system, month_date

),

-- a month holds all that was done before it, so a change outdates the later months too
compared as (

    select
        recorded.source_system,
        recorded.month_date,
        recorded.as_of_date,
        recorded.customers,
        recorded.buyers,
        recorded.active_customers,
        recorded.purchases,
        recorded.revenue,
        coalesce(changes_counted.changed_customers, 0) as changed_customers,
        sum(coalesce(changes_counted.changed_customers, 0)) over (
            partition by recorded.source_system
            order by recorded.month_date asc
        ) > 0 as is_outdated

    from recorded
    left join changes_counted
        on
            recorded.source_system = changes_counted.source_system
            and recorded.month_date = changes_counted.month_date

)

select * from compared
