with

merchants as (

    {{ union_source_systems('merchants') }}

)

select * from merchants
