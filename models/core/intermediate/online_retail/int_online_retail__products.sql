with

invoice_lines as (

    select * from {{ ref('stg_online_retail__invoice_lines') }}
    where is_usable

),

non_product_codes as (

    select * from {{ ref('non_product_codes') }}

),

stock_codes as (

    select distinct stock_code from invoice_lines

),

-- a code may match several patterns
codes_matched as (

    select
        stock_codes.stock_code,
        count(non_product_codes.stock_code_pattern) = 0 as is_product

    from stock_codes
    left join non_product_codes
        on stock_codes.stock_code like non_product_codes.stock_code_pattern
    group by stock_codes.stock_code

),

-- there is no catalogue: `products` takes the names from the lines
conformed as (

    select
        {{ entity_key('online_retail', 'stock_code') }} as product_key,
        'online_retail' as source_system,
        stock_code as product_id,
        cast(null as string) as product_name,
        cast(null as string) as category,
        is_product

    from codes_matched

)

select * from conformed
