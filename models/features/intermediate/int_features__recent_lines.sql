{{ config(materialized='table') }}

with

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}

),

source_systems as (

    select * from {{ ref('int_features__source_systems') }}

),

transactions as (

    select * from {{ ref('int_features__transactions') }}

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
        and transaction_lines.is_product
        and transaction_lines.quantity > 0
        and {{ dbt.datediff(
            'transactions.completed_at', 'transactions.as_of_date', 'day'
        ) }} <= 365

),

-- logarithms to six decimals make exact sums
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
        count(*) filter (where quantity >= 12) as lines_of_12

    from lines
    group by customer_key, as_of_date

),

measured as (

    select
        as_of_dates.customer_key,
        as_of_dates.as_of_date,
        coalesce(summed.lines_365, 0) as lines_365,
        coalesce(summed.products_365, 0) as products_365,
        coalesce(summed.units_365, 0) as units_365,
        summed.max_quantity,
        summed.largest_line,
        {{ ratio('summed.log_unit_prices', 'summed.lines_365') }}
            as mean_log_unit_price,
        {{ ratio('summed.log_quantities', 'summed.lines_365') }} as mean_log_quantity,
        {{ ratio('summed.amount', 'summed.units_365') }} as mean_unit_price,
        {{ ratio('summed.lines_of_12', 'summed.lines_365') }} as bulk_12_share

    from as_of_dates
    inner join source_systems
        on as_of_dates.source_system = source_systems.source_system
    left join summed
        on
            as_of_dates.customer_key = summed.customer_key
            and as_of_dates.as_of_date = summed.as_of_date
    where source_systems.has_products

)

select * from measured
