with

invoice_lines as (

    select * from {{ ref('stg_online_retail__invoice_lines') }}

),

non_product_codes as (

    select * from {{ ref('non_product_codes') }}

),

stock_codes as (

    select distinct stock_code from invoice_lines

),

-- there is no catalogue: the mart takes the names from the lines
conformed as (

    select
        {{ entity_key('online_retail', 'stock_codes.stock_code') }} as product_key,
        'online_retail' as source_system,
        stock_codes.stock_code as product_id,
        cast(null as string) as product_name,
        non_product_codes.stock_code_pattern is null as is_product

    from stock_codes
    left join non_product_codes
        on stock_codes.stock_code like non_product_codes.stock_code_pattern

)

select * from conformed
