{{ config(materialized='table') }}

{%- set windows = [30, 90, 180, 365] -%}
{%- set quarters = [(1, 0, 91), (2, 91, 182), (3, 182, 273), (4, 273, 365)] -%}
{%- set half_lives = [30, 90, 180] -%}
with

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions as (

    select * from {{ ref('int_observations__transactions') }}

),

-- a purchase has happened when it was completed, a return when it was made
dated as (

    select
        transactions.customer_key,
        transactions.as_of_date,
        transactions.is_completed,
        transactions.amount,
        source_systems.has_amounts,
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
    where transactions.is_completed or transactions.amount is not null

),

-- exact to four decimals, so that sums do not depend on the order of the rows
decayed as (

    select
        dated.*,
        {% for days in half_lives -%}
        cast(power(0.5, days_ago / {{ days }}.0) as decimal(8, 4))
            as weight_{{ days }}{{ ',' if not loop.last }}
        {% endfor %}

    from dated

),

summed as (

    select
        customer_key,
        as_of_date,
        {% for days in windows -%}
        count(*) filter (where is_completed and days_ago <= {{ days }})
            as purchases_{{ days }},
        sum(amount) filter (where days_ago <= {{ days }}) as spend_{{ days }},
        {% endfor -%}
        {% for number, above, up_to in quarters -%}
        count(*) filter (
            where is_completed and days_ago > {{ above }} and days_ago <= {{ up_to }}
        ) as purchases_quarter_{{ number }},
        sum(amount) filter (
            where is_completed and days_ago > {{ above }} and days_ago <= {{ up_to }}
        ) as spend_quarter_{{ number }},
        {% endfor -%}
        {% for days in half_lives -%}
        sum(weight_{{ days }}) filter (where is_completed)
            as decayed_purchases_{{ days }},
        sum(amount * weight_{{ days }}) filter (where is_completed)
            as decayed_spend_{{ days }},
        {% endfor -%}
        count(*) filter (where is_completed and is_in_autumn and days_ago <= 365)
            as autumn_purchases,
        sum(amount) filter (where is_completed and is_in_autumn and days_ago <= 365)
            as autumn_spend,
        sum(amount) filter (where is_completed and days_ago <= 365) as gross_spend_365,
        max(amount) filter (where is_completed and days_ago <= 365) as largest_purchase,
        min(amount) filter (where is_completed and days_ago <= 365) as smallest_purchase

    from decayed
    group by customer_key, as_of_date

)

select * from summed
