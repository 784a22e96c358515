{{ config(group='segmentation') }}

-- the spine and the first transaction give each customer the same date of the first
-- purchase
with

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}
    where is_today

),

first_transactions as (

    select * from {{ ref('int_features__first_transactions') }}

)

select
    as_of_dates.customer_key,
    as_of_dates.first_purchase_date,
    first_transactions.first_purchase_date as date_of_first_transaction

from as_of_dates
full join first_transactions
    on as_of_dates.customer_key = first_transactions.customer_key
where
    as_of_dates.first_purchase_date
    is distinct from first_transactions.first_purchase_date
