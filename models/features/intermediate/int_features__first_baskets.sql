{{ config(materialized='table') }}

{#- the bands of the seed price_bands -#}
{%- set bands = ['under_1', '1_to_2', '2_to_3', '3_to_5', 'from_5'] -%}
with

first_lines as (

    select * from {{ ref('int_features__first_lines') }}

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
        min(unit_price) filter (where is_bought) as least_unit_price,
        max(unit_price) filter (where is_bought) as greatest_unit_price,
        count(*) filter (where is_bought and quantity = 1) as single_lines,
        count(*) filter (where is_bought and mod(quantity, 12) = 0) as dozen_lines,
        count(*) filter (where is_bought and quantity >= 24) as bulk_lines,
        {% for band in bands -%}
        coalesce(
            sum(amount) filter (where is_bought and price_band = '{{ band }}'), 0
        ) as amount_{{ band }},
        {% endfor -%}
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
        least_unit_price,
        greatest_unit_price,
        {{ ratio('basket_items', 'basket_lines') }} as items_per_line,
        {{ ratio('product_value', 'basket_items') }} as mean_unit_price,
        {{ ratio('largest_line_value', 'product_value') }} as largest_line_share,
        {{ ratio('single_lines', 'basket_lines') }} as single_share,
        {{ ratio('dozen_lines', 'basket_lines') }} as dozen_share,
        {{ ratio('bulk_lines', 'basket_lines') }} as bulk_share,
        {% for band in bands -%}
        {{ ratio('amount_' ~ band, 'product_value') }} as spend_share_{{ band }},
        {% endfor -%}
        {{ ratio('squared_amounts', '(product_value * product_value)') }}
            as spend_concentration

    from summed

)

select * from measured
