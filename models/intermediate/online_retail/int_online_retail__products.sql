{{ config(materialized='table') }}

with

invoice_lines as (

    select * from {{ ref('stg_online_retail__invoice_lines') }}

),

non_product_codes as (

    select * from {{ ref('non_product_codes') }}

),

-- lines without a price carry the warehouse's notes, not the product's name
descriptions_counted as (

    select
        stock_code,
        case when unit_price > 0 then description end as description,
        count(*) as line_count

    from invoice_lines
    group by 1, 2

),

descriptions_ordered as (

    select
        stock_code,
        description,
        row_number() over (
            partition by stock_code
            order by
                case when description is null then 1 else 0 end asc,
                line_count desc,
                description asc nulls last
        ) as description_number

    from descriptions_counted

),

conformed as (

    select
        {{ entity_key('online_retail', 'descriptions_ordered.stock_code') }}
            as product_key,
        'online_retail' as source_system,
        descriptions_ordered.stock_code as product_id,
        descriptions_ordered.description as product_name,
        non_product_codes.stock_code_pattern is null as is_product

    from descriptions_ordered
    left join non_product_codes
        on descriptions_ordered.stock_code like non_product_codes.stock_code_pattern
    where descriptions_ordered.description_number = 1

)

select * from conformed
