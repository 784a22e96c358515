with

all_customers as (

    select * from {{ ref('int_customers') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

transactions_summed_to_customers as (

    select
        customer_key,
        min(transacted_at) as first_transacted_at,
        max(transacted_at) as last_transacted_at,
        max(completed_at) as last_completed_at,
        count(*) as lifetime_transactions,
        count(completed_at) as lifetime_purchases,
        sum(amount) as lifetime_spent

    from transactions
    group by customer_key

),

customers as (

    select
        all_customers.customer_key,
        all_customers.source_system,
        all_customers.customer_id,
        all_customers.joined_at,
        all_customers.gender,
        all_customers.city,
        all_customers.country,
        all_customers.age,
        all_customers.annual_income,
        all_customers.spending_score,
        summed.first_transacted_at,
        summed.last_transacted_at,
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

    from all_customers
    inner join source_systems
        on all_customers.source_system = source_systems.source_system
    left join transactions_summed_to_customers as summed
        on all_customers.customer_key = summed.customer_key
    -- who joins from the as-of date on is not there yet
    where
        all_customers.joined_at is null
        or all_customers.joined_at < source_systems.as_of_date

)

select * from customers
