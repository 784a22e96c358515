-- Written from source_systems/mall.yml; do not edit.
-- `customer-segmentation generate-source mall` writes it again.
with

customers as (

    select * from {{ ref('stg_mall__customers') }}
    where is_usable

),

conformed as (

    select
        {{ entity_key('mall', 'customer_id') }} as customer_key,
        'mall' as source_system,
        customer_id,
        cast(null as timestamp) as joined_at,
        gender,
        cast(null as string) as city,
        cast(null as string) as country,
        age,
        annual_income,
        spending_score

    from customers

)

select * from conformed
