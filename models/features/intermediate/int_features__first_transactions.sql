{{ config(materialized='table') }}

with

transactions as (

    select * from {{ ref('transactions') }}

),

-- ties on time go to the lower key
ranked as (

    select
        customer_key,
        source_system,
        transaction_key,
        completed_at,
        row_number() over (
            partition by customer_key
            order by completed_at asc, transaction_key asc
        ) as purchase_number

    from transactions
    where is_completed and customer_key is not null

),

first_transactions as (

    select
        customer_key,
        source_system,
        transaction_key,
        completed_at,
        cast(completed_at as date) as first_purchase_date,
        {{ days_after(1, 'cast(completed_at as date)') }} as as_of_date

    from ranked
    where purchase_number = 1

)

select * from first_transactions
