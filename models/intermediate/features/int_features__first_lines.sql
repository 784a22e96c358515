with

first_purchases as (

    select * from {{ ref('int_observations__first_purchases') }}

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}

),

first_lines as (

    select
        first_purchases.customer_key,
        transaction_lines.transaction_line_key,
        transaction_lines.product_key,
        transaction_lines.quantity,
        transaction_lines.unit_price,
        transaction_lines.amount,
        transaction_lines.is_product and transaction_lines.quantity > 0 as is_bought,
        case
            when transaction_lines.unit_price < 1 then 1
            when transaction_lines.unit_price < 2 then 2
            when transaction_lines.unit_price < 3 then 3
            when transaction_lines.unit_price < 5 then 4
            else 5
        end as price_band

    from first_purchases
    inner join transaction_lines
        on first_purchases.transaction_key = transaction_lines.transaction_key

)

select * from first_lines
