with

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

all_months as (

    select * from {{ ref('int_movement__months') }}

),

-- a coupon sells when it is redeemed, all else when it happens
ranges as (

    select
        source_system,
        cast(date_trunc('month', min({{ happened_at() }})) as date) as first_month_date,
        cast(date_trunc('month', max({{ happened_at() }})) as date) as last_month_date

    from transactions
    group by source_system

),

-- every month between the first and the last, those without a transaction, too
months as (

    select
        all_months.source_system,
        all_months.month_date,
        source_systems.has_amounts,
        (
            cast(source_systems.first_event_at as date) > all_months.month_date
            or not all_months.is_complete
        ) as is_partial

    from all_months
    inner join ranges
        on
            all_months.source_system = ranges.source_system
            and all_months.month_date between
            ranges.first_month_date and ranges.last_month_date
    inner join source_systems
        on all_months.source_system = source_systems.source_system

)

select * from months
