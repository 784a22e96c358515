{{ config(materialized='table') }}

with

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions as (

    select * from {{ ref('int_features__transactions') }}

),

-- a purchase happens when it is completed, a return when it is made; in a source system
-- without amounts all money is null
dated as (

    select
        as_of_dates.customer_key,
        as_of_dates.as_of_date,
        transactions.is_completed,
        transactions.amount,
        case when transactions.is_completed then transactions.amount end as bought,
        case when source_systems.has_amounts then 0 end as no_amount,
        month(transactions.completed_at) >= 9 as is_sep_dec,
        cast(
            {{ dbt.datediff(
                happened_at('transactions.'),
                'as_of_dates.as_of_date',
                'day'
            ) }} as int
        ) as days_ago

    from as_of_dates
    inner join source_systems
        on as_of_dates.source_system = source_systems.source_system
    left join transactions
        on
            as_of_dates.customer_key = transactions.customer_key
            and as_of_dates.as_of_date = transactions.as_of_date
            and (transactions.is_completed or transactions.amount is not null)
    where source_systems.has_transactions

),

-- a weight halves with each half-life; four decimals make exact sums
weighted as (

    select
        *,
        cast(power(0.5, days_ago / cast(30 as double)) as decimal(8, 4)) as weight_30,
        cast(power(0.5, days_ago / cast(90 as double)) as decimal(8, 4)) as weight_90,
        cast(power(0.5, days_ago / cast(180 as double)) as decimal(8, 4)) as weight_180,
        days_ago <= 30 as is_in_30,
        days_ago <= 90 as is_in_90,
        days_ago <= 180 as is_in_180,
        days_ago <= 365 as is_in_365,
        days_ago > 0 and days_ago <= 91 as is_in_quarter_1,
        days_ago > 91 and days_ago <= 182 as is_in_quarter_2,
        days_ago > 182 and days_ago <= 273 as is_in_quarter_3,
        days_ago > 273 and days_ago <= 365 as is_in_quarter_4,
        is_sep_dec and days_ago <= 365 as is_last_sep_dec

    from dated

),

{% set spend = 'case when {0} then amount else no_amount end' -%}
{% set gross = 'case when {0} then bought else no_amount end' -%}
{% set decayed = 'case when is_completed then {0} else 0 end' -%}
summed as (

    select
        customer_key,
        as_of_date,
        count(*) filter (where is_completed and is_in_30) as purchases_30,
        {{ total(spend.format('is_in_30')) }} as spend_30,
        count(*) filter (where is_completed and is_in_90) as purchases_90,
        {{ total(spend.format('is_in_90')) }} as spend_90,
        count(*) filter (where is_completed and is_in_180) as purchases_180,
        {{ total(spend.format('is_in_180')) }} as spend_180,
        count(*) filter (where is_completed and is_in_365) as purchases_365,
        {{ total(spend.format('is_in_365')) }} as spend_365,
        count(*) filter (where is_completed and is_in_quarter_1) as purchases_quarter_1,
        {{ total(gross.format('is_in_quarter_1')) }} as spend_quarter_1,
        count(*) filter (where is_completed and is_in_quarter_2) as purchases_quarter_2,
        {{ total(gross.format('is_in_quarter_2')) }} as spend_quarter_2,
        count(*) filter (where is_completed and is_in_quarter_3) as purchases_quarter_3,
        {{ total(gross.format('is_in_quarter_3')) }} as spend_quarter_3,
        count(*) filter (where is_completed and is_in_quarter_4) as purchases_quarter_4,
        {{ total(gross.format('is_in_quarter_4')) }} as spend_quarter_4,
        {{ total(decayed.format('weight_30'), 4) }} as decayed_purchases_30,
        {{ total('bought * weight_30', 6) }} as decayed_spend_30,
        {{ total(decayed.format('weight_90'), 4) }} as decayed_purchases_90,
        {{ total('bought * weight_90', 6) }} as decayed_spend_90,
        {{ total(decayed.format('weight_180'), 4) }} as decayed_purchases_180,
        {{ total('bought * weight_180', 6) }} as decayed_spend_180,
        count(*) filter (where is_last_sep_dec) as sep_dec_purchases,
        {{ total(gross.format('is_last_sep_dec')) }} as sep_dec_spend,
        {{ total(gross.format('is_in_365')) }} as gross_spend_365,
        max(case when is_in_365 then bought end) as largest_purchase

    from weighted
    group by customer_key, as_of_date

),

measured as (

    select
        *,
        gross_spend_365 - spend_365 as returned_spend_365

    from summed

)

select * from measured
