-- every customer with a purchase is in the lifecycle, with a stage if anyone came back
with

customers as (

    select * from {{ ref('customers') }}

),

customer_lifecycle as (

    select * from {{ ref('customer_lifecycle') }}

),

source_systems_counted as (

    select
        source_system,
        max(purchase_days) as most_purchase_days

    from customer_lifecycle
    group by source_system

)

select customers.customer_key
from customers
left join customer_lifecycle
    on customers.customer_key = customer_lifecycle.customer_key
left join source_systems_counted
    on customers.source_system = source_systems_counted.source_system
where
    customers.lifetime_purchases > 0
    and (
        customer_lifecycle.customer_key is null
        or (
            customer_lifecycle.lifecycle_stage is null
            and source_systems_counted.most_purchase_days > 1
        )
    )
