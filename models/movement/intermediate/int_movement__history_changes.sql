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

-- the first month stands for all before it
recorded as (

    select
        history.source_system,
        history.customer_key,
        history.month_date,
        case
            when history.month_date = months.first_month_date then history.frequency
            else history.month_purchases
        end as purchases,
        coalesce(
            case
                when history.month_date = months.first_month_date then history.monetary
                else history.month_spent
            end, 0
        ) as spent,
        case
            when
                history.month_date = months.first_month_date
                or history.month_purchases > 0
                then {{ days_before('history.recency_days', 'history.as_of_date') }}
        end as last_purchase_date

    from history
    inner join months
        on
            history.source_system = months.source_system
            and history.month_date = months.month_date

),

known_today as (

    select
        customer_months.source_system,
        customer_months.customer_key,
        months.month_date,
        cast(sum(customer_months.purchases) as bigint) as purchases,
        coalesce(sum(customer_months.spent), 0) as spent,
        max(customer_months.last_purchase_date) as last_purchase_date

    from customer_months
    inner join months
        on
            customer_months.source_system = months.source_system
            and greatest(customer_months.month_date, months.first_month_date)
            = months.month_date
    group by
        customer_months.source_system, customer_months.customer_key, months.month_date

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

),

first_recorded as (

    select
        source_system,
        customer_key,
        min(month_date) as month_date

    from recorded
    group by source_system, customer_key

),

changed as (

    select
        source_system,
        customer_key,
        month_date

    from recorded
    full join known_today using (source_system, customer_key, month_date)
    where
        coalesce(recorded.purchases, 0) <> coalesce(known_today.purchases, 0)
        or coalesce(recorded.spent, 0) <> coalesce(known_today.spent, 0)
        or recorded.last_purchase_date
        is distinct from known_today.last_purchase_date

    union distinct

    select
        source_system,
        customer_key,
        least(first_recorded.month_date, first_months.month_date) as month_date

    from first_recorded
    full join first_months using (source_system, customer_key)
    where first_recorded.month_date is distinct from first_months.month_date

)

select * from changed
