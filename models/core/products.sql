with

all_products as (

    {{ union_source_systems('products') }}

),

transaction_lines as (

    select * from {{ ref('transaction_lines') }}

),

-- a line without a price carries a note of the warehouse, not the name of the product
descriptions_counted as (

    select
        product_key,
        case when unit_price > 0 then description end as description,
        count(*) as line_count

    from transaction_lines
    group by 1, 2

),

descriptions_ordered as (

    select
        product_key,
        description,
        row_number() over (
            partition by product_key
            order by
                case when description is null then 1 else 0 end asc,
                line_count desc,
                description asc nulls last
        ) as description_number

    from descriptions_counted

),

-- a product without a catalogue name exists once it is on a line before the as-of date
products_named as (

    select
        all_products.product_key,
        all_products.source_system,
        all_products.product_id,
        all_products.is_product,
        all_products.category,
        coalesce(all_products.product_name, named.description) as product_name

    from all_products
    left join descriptions_ordered as named
        on
            all_products.product_key = named.product_key
            and named.description_number = 1
    where all_products.product_name is not null or named.product_key is not null

),

products as (

    select
        product_key,
        source_system,
        product_id,
        product_name,
        category,
        is_product

    from products_named

)

select * from products
