with

products as (

    {{ union_source_systems('products') }}

)

select * from products
