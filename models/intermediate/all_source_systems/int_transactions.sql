with

transactions as (

    {{ union_source_systems('transactions') }}

)

select * from transactions
