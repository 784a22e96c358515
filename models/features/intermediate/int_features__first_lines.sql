with

first_purchases as (

    select * from {{ ref('int_observations__first_purchases') }}

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}

),

price_bands as (

    select * from {{ ref('price_bands') }}

),

first_lines as (

    select
        first_purchases.customer_key,
        transaction_lines.transaction_line_key,
        transaction_lines.product_key,
        transaction_lines.quantity,
        transaction_lines.unit_price,
        transaction_lines.amount,
        price_bands.price_band,
        transaction_lines.is_product and transaction_lines.quantity > 0 as is_bought

    from first_purchases
    inner join transaction_lines
        on first_purchases.transaction_key = transaction_lines.transaction_key
    left join price_bands
        on
            (
                price_bands.price_from is null
                or transaction_lines.unit_price >= price_bands.price_from
            )
            and (
                price_bands.price_below is null
                or transaction_lines.unit_price < price_bands.price_below
            )
            and transaction_lines.unit_price is not null

)

select * from first_lines
