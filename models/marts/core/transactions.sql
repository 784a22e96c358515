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

-- what happens from the as-of date on does not exist: a coupon burned later is claimed
cut_at_as_of_date as (

    select
        transactions_unioned.*,
        coalesce(
            transactions_unioned.completed_at < source_systems.as_of_date, false
        ) as is_completed,
        transactions_unioned.completed_at is null as is_never_completed

    from transactions_unioned
    inner join source_systems
        on transactions_unioned.source_system = source_systems.source_system
    where transactions_unioned.transacted_at < source_systems.as_of_date

),

transactions as (

    select
        cut_at_as_of_date.transaction_key,
        cut_at_as_of_date.source_system,
        cut_at_as_of_date.customer_key,
        cut_at_as_of_date.branch_key,
        branches.merchant_key,
        branches.merchant_name,
        cut_at_as_of_date.transacted_at,
        case
            when cut_at_as_of_date.is_completed then cut_at_as_of_date.completed_at
        end as completed_at,
        case
            when
                cut_at_as_of_date.is_completed or cut_at_as_of_date.is_never_completed
                then cut_at_as_of_date.status
            else 'claimed'
        end as status,
        cut_at_as_of_date.is_completed,
        cut_at_as_of_date.status = 'returned' as is_return,
        cut_at_as_of_date.coupon_code,
        case
            when
                cut_at_as_of_date.is_completed or cut_at_as_of_date.is_never_completed
                then cut_at_as_of_date.amount
        end as amount

    from cut_at_as_of_date
    left join branches on cut_at_as_of_date.branch_key = branches.branch_key

)

select * from transactions
