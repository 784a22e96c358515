with

transactions_unioned as (

    {{ union_source_systems('transactions') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

branches as (

    select * from {{ ref('branches') }}

),

known_transactions as (

    select
        transactions_unioned.transaction_key,
        transactions_unioned.source_system,
        transactions_unioned.customer_key,
        transactions_unioned.branch_key,
        transactions_unioned.transacted_at,
        transactions_unioned.coupon_code,
        {{ as_known_on('transactions_unioned', 'source_systems.as_of_date') }}

    from transactions_unioned
    inner join source_systems
        on transactions_unioned.source_system = source_systems.source_system
    where transactions_unioned.transacted_at < source_systems.as_of_date

),

transactions as (

    select
        known_transactions.transaction_key,
        known_transactions.source_system,
        known_transactions.customer_key,
        known_transactions.branch_key,
        branches.merchant_key,
        branches.merchant_name,
        known_transactions.transacted_at,
        known_transactions.completed_at,
        known_transactions.status,
        known_transactions.coupon_code,
        known_transactions.amount,
        known_transactions.completed_at is not null as is_completed,
        known_transactions.status = 'returned' as is_return

    from known_transactions
    left join branches on known_transactions.branch_key = branches.branch_key

)

select * from transactions
