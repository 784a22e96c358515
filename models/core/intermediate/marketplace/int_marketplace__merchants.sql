with

merchants as (

    select * from {{ ref('stg_marketplace__merchants') }}
    where is_usable

),

conformed as (

    select
        {{ entity_key('marketplace', 'merchant_id') }} as merchant_key,
        'marketplace' as source_system,
        merchant_id,
        merchant_name

    from merchants

)

select * from conformed
