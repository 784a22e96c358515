with

first_transactions as (

    select * from {{ ref('int_features__first_transactions') }}

),

source_systems as (

    select * from {{ ref('int_features__source_systems') }}

),

christmas_added as (

    select
        first_transactions.*,
        cast(
            cast(year(first_transactions.first_purchase_date) as string)
            || '-12-25' as date
        ) as this_christmas_date,
        cast(
            cast(year(first_transactions.first_purchase_date) + 1 as string)
            || '-12-25' as date
        ) as next_christmas_date

    from first_transactions

),

measured as (

    select
        dated.customer_key,
        cast(month(dated.first_purchase_date) as int) as month_of_year,
        cast(dayofyear(dated.first_purchase_date) as int) as day_of_year,
        cast({{ day_of_week('dated.first_purchase_date') }} as int) as day_of_week,
        case
            when source_systems.has_times
                then cast(hour(dated.completed_at) as int)
        end as hour_of_day,
        cast(
            {{ dbt.datediff(
                'dated.first_purchase_date',
                'case when dated.first_purchase_date > dated.this_christmas_date'
                ~ ' then dated.next_christmas_date else dated.this_christmas_date end',
                'day'
            ) }} as int
        ) as days_to_christmas

    from christmas_added as dated
    inner join source_systems on dated.source_system = source_systems.source_system

)

select * from measured
