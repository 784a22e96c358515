{{ config(materialized='table') }}

with

first_purchases as (

    select * from {{ ref('int_observations__first_purchases') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}

),

-- a customer who buys a product twice on a day bought it once
purchases as (

    select distinct
        transactions.customer_key,
        transaction_lines.product_key,
        cast(transactions.completed_at as date) as purchase_date

    from transaction_lines
    inner join transactions
        on transaction_lines.transaction_key = transactions.transaction_key
    where
        transactions.is_completed
        and transactions.customer_key is not null
        and transaction_lines.is_product
        and transaction_lines.quantity > 0

),

summed_to_days as (

    select
        purchases.product_key,
        purchases.purchase_date,
        count(*) as purchases,
        count(*) filter (
            where purchases.purchase_date > first_purchases.first_purchase_date
        ) as purchases_of_regulars

    from purchases
    inner join first_purchases
        on purchases.customer_key = first_purchases.customer_key
    group by purchases.product_key, purchases.purchase_date

),

-- of the days before only: that day's customers are yet to show what they are
cumulated as (

    select
        product_key,
        purchase_date,
        coalesce(sum(purchases) over days_before, 0) as purchases,
        coalesce(sum(purchases_of_regulars) over days_before, 0)
            as purchases_of_regulars

    from summed_to_days
    window
        days_before as (
            partition by product_key
            order by purchase_date asc
            rows between unbounded preceding and 1 preceding
        )

),

-- a product that nobody bought before is taken for one whose buyers are half regulars;
-- six decimals, so that sums of shares do not depend on the order of the rows
measured as (

    select
        product_key,
        purchase_date,
        cast(
            {{ ratio('(purchases_of_regulars + 5)', '(purchases + 10)') }}
            as decimal(8, 6)
        ) as regulars_share

    from cumulated

)

select * from measured
