{{ config(materialized='table') }}

with

first_transactions as (

    select * from {{ ref('int_features__first_transactions') }}

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}

),

first_lines as (

    select
        first_transactions.customer_key,
        transaction_lines.product_key,
        transaction_lines.quantity,
        transaction_lines.unit_price,
        transaction_lines.amount,
        transaction_lines.is_product and transaction_lines.quantity > 0 as is_bought

    from first_transactions
    inner join transaction_lines
        on first_transactions.transaction_key = transaction_lines.transaction_key

),

summed as (

    select
        customer_key,
        bool_or(not is_bought and quantity > 0) as has_fees,
        count(*) filter (where is_bought) as basket_lines,
        count(distinct case when is_bought then product_key end) as basket_products,
        coalesce(sum(quantity) filter (where is_bought), 0) as basket_items,
        coalesce(sum(amount) filter (where is_bought), 0) as product_value,
        max(amount) filter (where is_bought) as largest_line_value,
        min(unit_price) filter (where is_bought) as min_unit_price,
        max(unit_price) filter (where is_bought) as max_unit_price,
        count(*) filter (where is_bought and quantity = 1) as single_lines,
        count(*) filter (where is_bought and mod(quantity, 12) = 0) as dozen_lines,
        count(*) filter (where is_bought and quantity >= 24) as lines_of_24,
        coalesce(sum(amount) filter (where is_bought and unit_price < 1), 0)
            as amount_under_1,
        coalesce(
            sum(amount) filter (
                where is_bought and unit_price >= 1 and unit_price < 2
            ),
            0
        ) as amount_1_to_2,
        coalesce(
            sum(amount) filter (
                where is_bought and unit_price >= 2 and unit_price < 3
            ),
            0
        ) as amount_2_to_3,
        coalesce(
            sum(amount) filter (
                where is_bought and unit_price >= 3 and unit_price < 5
            ),
            0
        ) as amount_3_to_5,
        coalesce(sum(amount) filter (where is_bought and unit_price >= 5), 0)
            as amount_from_5,
        sum(amount * amount) filter (where is_bought) as squared_amounts

    from first_lines
    group by customer_key

),

measured as (

    select
        customer_key,
        has_fees,
        basket_lines,
        basket_products,
        cast(basket_items as bigint) as basket_items,
        cast(product_value as decimal(18, 2)) as product_value,
        largest_line_value,
        min_unit_price,
        max_unit_price,
        {{ ratio('basket_items', 'basket_lines') }} as items_per_line,
        {{ ratio('product_value', 'basket_items') }} as mean_unit_price,
        {{ ratio('largest_line_value', 'product_value') }} as largest_line_share,
        {{ ratio('single_lines', 'basket_lines') }} as single_share,
        {{ ratio('dozen_lines', 'basket_lines') }} as dozen_share,
        {{ ratio('lines_of_24', 'basket_lines') }} as bulk_24_share,
        {{ ratio('amount_under_1', 'product_value') }} as spend_share_under_1,
        {{ ratio('amount_1_to_2', 'product_value') }} as spend_share_1_to_2,
        {{ ratio('amount_2_to_3', 'product_value') }} as spend_share_2_to_3,
        {{ ratio('amount_3_to_5', 'product_value') }} as spend_share_3_to_5,
        {{ ratio('amount_from_5', 'product_value') }} as spend_share_from_5,
        {{ ratio('squared_amounts', '(product_value * product_value)') }}
            as spend_concentration

    from summed

)

select * from measured
