with

customers as (

    select * from {{ ref('base_mall__customers') }}

),

usable as (

    select
        customer_id,
        gender,
        age,
        annual_income,
        spending_score

    from customers
    where reasons = ''

)

select * from usable
