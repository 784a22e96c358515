with

customers as (

    {{ union_source_systems('customers') }}

)

select * from customers
