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

),

-- a shop that sells to guests only has no customers, who then spent nothing
compared as (

    select
        transactions_summed.*,
        case
            when customers_summed.source_system is not null then customers_summed.amount
            when transactions_summed.amount is not null then 0
        end as customer_amount

    from transactions_summed
    left join customers_summed
        on transactions_summed.source_system = customers_summed.source_system

)

select
    source_system,
    amount,
    guest_amount,
    customer_amount

from compared
where amount - guest_amount is distinct from customer_amount
