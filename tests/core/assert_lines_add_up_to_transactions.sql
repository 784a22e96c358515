-- where a source system has lines, the amount of a transaction is the sum of its lines
with

transactions as (

    select * from {{ ref('transactions') }}

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}

),

lines_summed_to_transactions as (

    select
        transaction_key,
        sum(amount) as amount

    from transaction_lines
    group by transaction_key

)

select
    transactions.transaction_key,
    transactions.amount,
    lines_summed_to_transactions.amount as lines_amount

from transactions
inner join lines_summed_to_transactions
    on transactions.transaction_key = lines_summed_to_transactions.transaction_key
where
    transactions.amount is distinct from
    cast(lines_summed_to_transactions.amount as decimal(18, 2))
