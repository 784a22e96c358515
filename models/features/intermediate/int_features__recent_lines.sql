{{ config(materialized='table') }}

with

transactions as (

    select * from {{ ref('int_observations__transactions') }}

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}

),

lines as (

    select
        transactions.customer_key,
        transactions.as_of_date,
        transaction_lines.product_key,
        transaction_lines.quantity,
        transaction_lines.unit_price,
        transaction_lines.amount

    from transaction_lines
    inner join transactions
        on transaction_lines.transaction_key = transactions.transaction_key
    where
        transactions.is_completed
        and transactions.is_cutoff
        and transaction_lines.is_product
        and transaction_lines.quantity > 0
        and {{ dbt.datediff(
            'transactions.completed_at', 'transactions.as_of_date', 'day'
        ) }} <= 365

),

-- logarithms to six decimals, so that sums do not depend on the order of the rows
summed as (

    select
        customer_key,
        as_of_date,
        cast(sum(quantity) as bigint) as units_365,
        count(*) as lines_365,
        count(distinct product_key) as products_365,
        sum(amount) as amount,
        sum(cast(ln(greatest(unit_price, 0.01)) as decimal(9, 6))) as log_unit_prices,
        sum(cast(ln(quantity) as decimal(9, 6))) as log_quantities,
        max(quantity) as max_quantity,
        max(amount) as largest_line,
        count(*) filter (where quantity >= 12) as bulk_lines

    from lines
    group by customer_key, as_of_date

),

measured as (

    select
        customer_key,
        as_of_date,
        lines_365,
        products_365,
        units_365,
        max_quantity,
        largest_line,
        {{ ratio('log_unit_prices', 'lines_365') }} as mean_log_unit_price,
        {{ ratio('log_quantities', 'lines_365') }} as mean_log_quantity,
        {{ ratio('amount', 'units_365') }} as mean_unit_price,
        {{ ratio('bulk_lines', 'lines_365') }} as bulk_share

    from summed

)

select * from measured
