with

all_transactions as (

    select * from {{ ref('int_transactions') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

branches as (

    select * from {{ ref('branches') }}

),

transactions_joined as (

    select
        all_transactions.*,
        branches.merchant_key,
        branches.merchant_name,
        source_systems.as_of_date

    from all_transactions
    inner join source_systems
        on all_transactions.source_system = source_systems.source_system
    left join branches on all_transactions.branch_key = branches.branch_key

),

-- what happens from the as-of date on does not exist: a coupon burned later is claimed
seen_as_of_date as (

    select
        transaction_key,
        source_system,
        customer_key,
        branch_key,
        merchant_key,
        merchant_name,
        transacted_at,
        coupon_code,
        case when completed_at < as_of_date then completed_at end as completed_at,
        case when completed_at >= as_of_date then 'claimed' else status end as status,
        case
            when completed_at >= as_of_date then null else amount
        end as amount

    from transactions_joined
    where transacted_at < as_of_date

),

flagged as (

    select
        *,
        completed_at is not null as is_completed,
        status = 'returned' as is_return

    from seen_as_of_date

),

transactions as (

    select
        transaction_key,
        source_system,
        customer_key,
        branch_key,
        merchant_key,
        merchant_name,
        transacted_at,
        completed_at,
        status,
        is_completed,
        is_return,
        coupon_code,
        amount

    from flagged

)

select * from transactions
