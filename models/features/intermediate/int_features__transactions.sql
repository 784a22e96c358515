{{ config(materialized='table') }}

with

dates as (

    select * from {{ ref('int_observations__dates') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

-- what happens from the as-of date on does not exist: a coupon burned later is claimed
observed as (

    select
        dates.customer_key,
        dates.source_system,
        dates.as_of_date,
        dates.is_present,
        dates.is_later,
        dates.is_cutoff,
        transactions.transaction_key,
        transactions.merchant_key,
        transactions.merchant_name,
        transactions.transacted_at,
        transactions.is_return,
        coalesce(
            transactions.completed_at < dates.as_of_date, false
        ) as is_completed,
        case
            when transactions.completed_at < dates.as_of_date
                then transactions.completed_at
        end as completed_at,
        case
            when transactions.completed_at >= dates.as_of_date then 'claimed'
            else transactions.status
        end as status,
        case
            when
                transactions.completed_at is null
                or transactions.completed_at < dates.as_of_date
                then transactions.amount
        end as amount

    from dates
    inner join transactions
        on
            dates.customer_key = transactions.customer_key
            and dates.as_of_date > transactions.transacted_at

)

select * from observed
