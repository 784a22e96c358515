with

branches_unioned as (

    {{ union_source_systems('branches') }}

),

merchants as (

    select * from {{ ref('merchants') }}

),

branches as (

    select
        branches_unioned.branch_key,
        branches_unioned.source_system,
        branches_unioned.branch_id,
        branches_unioned.merchant_key,
        merchants.merchant_name

    from branches_unioned
    left join merchants on branches_unioned.merchant_key = merchants.merchant_key

)

select * from branches
