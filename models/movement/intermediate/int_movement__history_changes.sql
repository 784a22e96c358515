{{ config(materialized='table') }}

with

history as (

    select * from {{ ref('customer_rfm_history') }}

),

customers as (

    select * from {{ ref('customers') }}

),

customer_months as (

    select * from {{ ref('int_movement__customer_months') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

-- a build as of an earlier date does not know the months after it
months as (

    select
        history.source_system,
        history.month_date,
        history.as_of_date,
        min(history.month_date) over (partition by history.source_system)
            as first_month_date

    from history
    inner join source_systems
        on
            history.source_system = source_systems.source_system
            and history.as_of_date <= source_systems.as_of_date
    group by history.source_system, history.month_date, history.as_of_date

),

-- what was recorded and what is known today cancel out, unless they differ; the first
-- month stands for all before it
entries as (

    select
        history.source_system,
        history.customer_key,
        history.month_date,
        true as is_recorded,
        case
            when history.month_date = months.first_month_date then history.frequency
            else history.month_purchases
        end as purchases,
        case
            when history.month_date = months.first_month_date then history.monetary
            else history.month_spent
        end as spent,
        {{ days_before('history.recency_days', 'history.as_of_date') }}
            as recorded_date,
        cast(null as date) as known_date

    from history
    inner join months
        on
            history.source_system = months.source_system
            and history.month_date = months.month_date

    union all

    select
        customer_months.source_system,
        customer_months.customer_key,
        months.month_date,
        false as is_recorded,
        -customer_months.purchases as purchases,
        -customer_months.spent as spent,
        cast(null as date) as recorded_date,
        customer_months.last_purchase_date as known_date

    from customer_months
    inner join months
        on
            customer_months.source_system = months.source_system
            and greatest(customer_months.month_date, months.first_month_date)
            = months.month_date

),

-- a customer may be on record earlier than was known then, or not at all
first_months as (

    select
        customers.source_system,
        customers.customer_key,
        min(months.month_date) as month_date

    from customers
    inner join months
        on
            customers.source_system = months.source_system
            and {{ is_known_on(
                'coalesce(customers.joined_at, customers.first_transacted_at)',
                'months.as_of_date'
            ) }}
    group by customers.source_system, customers.customer_key

    union all

    select
        source_system,
        customer_key,
        min(month_date) as month_date

    from entries
    where is_recorded
    group by source_system, customer_key

),

changed as (

    select
        source_system,
        customer_key,
        month_date

    from entries
    group by source_system, customer_key, month_date
    having
        sum(purchases) <> 0
        or coalesce(sum(spent), 0) <> 0
        or max(recorded_date) <> max(known_date)

    union distinct

    select
        source_system,
        customer_key,
        min(month_date) as month_date

    from first_months
    group by source_system, customer_key
    having count(*) = 1 or min(month_date) <> max(month_date)

)

select * from changed
