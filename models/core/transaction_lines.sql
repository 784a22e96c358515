with

lines_unioned as (

    {{ union_source_systems('transaction_lines') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

-- lines of transactions on or after the as-of date are ignored
transaction_lines as (

    select
        lines_unioned.transaction_line_key,
        lines_unioned.source_system,
        lines_unioned.transaction_key,
        lines_unioned.product_key,
        lines_unioned.is_product,
        lines_unioned.description,
        lines_unioned.quantity,
        lines_unioned.unit_price,
        lines_unioned.amount

    from lines_unioned
    inner join transactions
        on lines_unioned.transaction_key = transactions.transaction_key

)

select * from transaction_lines
