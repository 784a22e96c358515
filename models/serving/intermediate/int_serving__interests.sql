with

customer_interests as (

    select * from {{ ref('customer_interests') }}

),

interests as (

    select
        customer_key,
        max(case when interest_rank = 1 then category_name end) as interest_1,
        max(case when interest_rank = 2 then category_name end) as interest_2,
        max(case when interest_rank = 3 then category_name end) as interest_3

    from customer_interests
    group by customer_key

)

select * from interests
