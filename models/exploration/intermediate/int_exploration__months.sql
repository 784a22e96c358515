with

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

month_numbers as (

    {{ dbt.generate_series(3600) }}

),

-- a coupon sells when it is redeemed, all else when it happens
ranges as (

    select
        source_system,
        cast(date_trunc('month', min(coalesce(completed_at, transacted_at))) as date)
            as first_month_date,
        cast(date_trunc('month', max(coalesce(completed_at, transacted_at))) as date)
            as last_month_date

    from transactions
    group by source_system

),

-- every month between the first and the last, those without a transaction, too
all_months as (

    select
        ranges.source_system,
        cast(
            {{ dbt.dateadd(
                'month',
                '(cast(month_numbers.generated_number as int) - 1)',
                'ranges.first_month_date',
            ) }} as date
        ) as month_date

    from ranges
    inner join month_numbers
        on
            {{ dbt.datediff(
                'ranges.first_month_date', 'ranges.last_month_date', 'month'
            ) }} >= month_numbers.generated_number - 1

),

months as (

    select
        all_months.source_system,
        all_months.month_date,
        source_systems.has_amounts,
        (
            cast(source_systems.first_event_at as date) > all_months.month_date
            or source_systems.as_of_date
            < cast({{ dbt.dateadd('month', 1, 'all_months.month_date') }} as date)
        ) as is_partial

    from all_months
    inner join source_systems
        on all_months.source_system = source_systems.source_system

)

select * from months
