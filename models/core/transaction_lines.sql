with

lines_unioned as (

    {{ union_source_systems('transaction_lines') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions_unioned as (

    {{ union_source_systems('transactions') }}

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
    inner join transactions_unioned
        on lines_unioned.transaction_key = transactions_unioned.transaction_key
    inner join source_systems
        on transactions_unioned.source_system = source_systems.source_system
    where transactions_unioned.transacted_at < source_systems.as_of_date

)

select * from transaction_lines
