-- every amount belongs to a customer or to a guest
with

transactions as (

    select * from {{ ref('transactions') }}

),

customers as (

    select * from {{ ref('customers') }}

),

transactions_summed as (

    select
        source_system,
        sum(amount) as amount,
        sum(case when customer_key is null then amount else 0 end) as guest_amount

    from transactions
    group by source_system

),

customers_summed as (

    select
        source_system,
        sum(lifetime_spent) as amount

    from customers
    group by source_system

)

select
    transactions_summed.source_system,
    transactions_summed.amount,
    transactions_summed.guest_amount,
    customers_summed.amount as customer_amount

from transactions_summed
left join customers_summed
    on transactions_summed.source_system = customers_summed.source_system
where
    transactions_summed.amount - transactions_summed.guest_amount
    is distinct from customers_summed.amount
