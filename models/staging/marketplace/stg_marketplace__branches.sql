with

branches as (

    select * from {{ ref('base_marketplace__branches') }}

),

usable as (

    select
        branch_id,
        merchant_id

    from branches
    where reasons = ''

)

select * from usable
