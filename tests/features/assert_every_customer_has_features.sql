-- the customers of the features are all customers, and measure the same as their RFM
with

customers as (

    select * from {{ ref('customers') }}

),

customer_features as (

    select * from {{ ref('customer_features') }}

)

select
    customers.customer_key,
    customers.lifetime_purchases,
    customers.lifetime_spent,
    customer_features.frequency,
    customer_features.monetary

from customers
left join customer_features on customers.customer_key = customer_features.customer_key
where
    customer_features.customer_key is null
    or customers.lifetime_purchases is distinct from customer_features.frequency
    or customers.lifetime_spent is distinct from customer_features.monetary
