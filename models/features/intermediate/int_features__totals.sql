{{ config(materialized='table') }}

with

dates as (

    select * from {{ ref('int_observations__dates') }}

),

customers as (

    select * from {{ ref('customers') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions as (

    select * from {{ ref('int_observations__transactions') }}

),

transactions_summed as (

    select
        customer_key,
        as_of_date,
        min(transacted_at) as first_transacted_at,
        max(transacted_at) as last_transacted_at,
        min(completed_at) as first_completed_at,
        max(completed_at) as last_completed_at,
        count(*) as lifetime_transactions,
        count(completed_at) as lifetime_purchases,
        sum(amount) as lifetime_spent

    from transactions
    group by customer_key, as_of_date

),

observed as (

    select
        dates.customer_key,
        dates.source_system,
        dates.as_of_date,
        dates.is_present,
        dates.is_later,
        customers.joined_at,
        summed.first_transacted_at,
        summed.last_transacted_at,
        summed.first_completed_at,
        summed.last_completed_at,
        case
            when source_systems.has_transactions
                then coalesce(summed.lifetime_transactions, 0)
        end as lifetime_transactions,
        case
            when source_systems.has_transactions
                then coalesce(summed.lifetime_purchases, 0)
        end as lifetime_purchases,
        case
            when source_systems.has_amounts
                then cast(coalesce(summed.lifetime_spent, 0) as decimal(18, 2))
        end as lifetime_spent

    from dates
    inner join customers on dates.customer_key = customers.customer_key
    inner join source_systems
        on dates.source_system = source_systems.source_system
    left join transactions_summed as summed
        on
            dates.customer_key = summed.customer_key
            and dates.as_of_date = summed.as_of_date

)

select * from observed
