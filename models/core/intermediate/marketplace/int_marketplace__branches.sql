with

branches as (

    select * from {{ ref('stg_marketplace__branches') }}
    where is_usable

),

conformed as (

    select
        {{ entity_key('marketplace', 'branch_id') }} as branch_key,
        'marketplace' as source_system,
        branch_id,
        {{ entity_key('marketplace', 'merchant_id') }} as merchant_key

    from branches

)

select * from conformed
