with

cutoffs as (

    select * from {{ ref('int_prediction__cutoffs') }}

),

records as (

    select * from {{ ref('int_prediction__records') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

-- the days to come are for those who learn from them, when they are over; the same days
-- of the year before are known to those who predict
windows as (

    {% for days_before in [0, 365] -%}
    select
        source_system,
        horizon_days,
        cutoff_date as origin_date,
        {{ days_before }} as days_before,
        cast(
            {{ dbt.dateadd('day', -days_before, 'cutoff_date') }} as date
        ) as from_date,
        cast(
            {{ dbt.dateadd('day', 'horizon_days - ' ~ days_before, 'cutoff_date') }}
            as date
        ) as end_date

    from cutoffs
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

summed as (

    select
        windows.source_system,
        windows.horizon_days,
        windows.origin_date,
        windows.days_before,
        count(transactions.completed_at) as purchases,
        sum(transactions.amount) as spend

    from windows
    inner join records on windows.source_system = records.source_system
    left join transactions
        on
            windows.source_system = transactions.source_system
            and windows.from_date
            <= coalesce(transactions.completed_at, transactions.transacted_at)
            and windows.end_date
            > coalesce(transactions.completed_at, transactions.transacted_at)
    where
        windows.from_date >= records.first_purchase_date
        and windows.end_date <= records.as_of_date
        -- a year before, more days than a year have would reach past the cutoff
        and (windows.days_before = 0 or windows.horizon_days <= windows.days_before)
    group by
        windows.source_system,
        windows.horizon_days,
        windows.origin_date,
        windows.days_before

)

select * from summed
