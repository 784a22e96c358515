{{ config(materialized='table') }}

{%- set back = lookbacks() -%}
with

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions as (

    select * from {{ ref('int_observations__transactions') }}

),

-- a purchase has happened when it was completed, a return when it was made; of a source
-- system without amounts all money is null
dated as (

    select
        transactions.customer_key,
        transactions.as_of_date,
        transactions.is_completed,
        case when source_systems.has_amounts then 0 end as no_amount,
        transactions.amount,
        month(transactions.completed_at) >= 9 as is_in_autumn,
        cast(
            {{ dbt.datediff(
                'coalesce(transactions.completed_at, transactions.transacted_at)',
                'transactions.as_of_date',
                'day'
            ) }} as int
        ) as days_ago

    from transactions
    inner join source_systems
        on transactions.source_system = source_systems.source_system
    where
        transactions.is_cutoff
        and (transactions.is_completed or transactions.amount is not null)

),

-- four decimals, so that sums do not depend on the order of the rows
weighted as (

    select
        *,
        {% for days in back.half_lives -%}
        cast(power(0.5, days_ago / cast({{ days }} as double)) as decimal(8, 4))
            as weight_{{ days }},
        {% endfor -%}
        case when is_completed then amount end as bought

    from dated

),

summed as (

    select
        customer_key,
        as_of_date,
        {% for days in back.windows -%}
        count(*) filter (where is_completed and days_ago <= {{ days }})
            as purchases_{{ days }},
        {{ total('case when days_ago <= ' ~ days ~ ' then amount else no_amount end') }}
            as spend_{{ days }},
        {% endfor -%}
        {% for number, above, up_to in back.quarters -%}
        count(*) filter (
            where is_completed and days_ago > {{ above }} and days_ago <= {{ up_to }}
        ) as purchases_quarter_{{ number }},
        {{ total(
            'case when days_ago > ' ~ above ~ ' and days_ago <= ' ~ up_to
            ~ ' then bought else no_amount end'
        ) }} as spend_quarter_{{ number }},
        {% endfor -%}
        {% for days in back.half_lives -%}
        {{ total('case when is_completed then weight_' ~ days ~ ' else 0 end', 4) }}
            as decayed_purchases_{{ days }},
        {{ total('bought * weight_' ~ days, 6) }} as decayed_spend_{{ days }},
        {% endfor -%}
        count(*) filter (where is_in_autumn and days_ago <= 365) as autumn_purchases,
        {{ total(
            'case when is_in_autumn and days_ago <= 365 then bought else no_amount end'
        ) }} as autumn_spend,
        {{ total('case when days_ago <= 365 then bought else no_amount end') }}
            as gross_spend_365,
        max(case when days_ago <= 365 then bought end) as largest_purchase

    from weighted
    group by customer_key, as_of_date

)

select * from summed
