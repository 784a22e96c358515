with

customers_unioned as (

    {{ union_source_systems('customers') }}

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
        {{ lifetime_totals() }}

    from transactions
    group by customer_key

),

customers as (

    select
        customers_unioned.customer_key,
        customers_unioned.source_system,
        customers_unioned.customer_id,
        customers_unioned.joined_at,
        customers_unioned.gender,
        customers_unioned.city,
        customers_unioned.country,
        customers_unioned.age,
        customers_unioned.annual_income,
        customers_unioned.spending_score,
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

    from customers_unioned
    inner join source_systems
        on customers_unioned.source_system = source_systems.source_system
    left join transactions_summed_to_customers as summed
        on customers_unioned.customer_key = summed.customer_key
    where {{ is_known_on('customers_unioned.joined_at', 'source_systems.as_of_date') }}

)

select * from customers
