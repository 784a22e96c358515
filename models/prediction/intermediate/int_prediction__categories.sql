with

product_categories as (

    select * from {{ ref('product_categories') }}

),

categories as (

    select
        source_system,
        category_id,
        min(category_name) as category_name

    from product_categories
    group by source_system, category_id

)

select * from categories
