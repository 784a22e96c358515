with

merchant_shares as (

    select * from {{ ref('int_features__merchant_shares') }}

),

summed_to_customers as (

    select
        customer_key,
        as_of_date,
        count(*) as distinct_merchants,
        max(case when merchant_rank = 1 then merchant_name end) as favourite_merchant,
        max(merchant_share) as favourite_merchant_share

    from merchant_shares
    group by customer_key, as_of_date

)

select * from summed_to_customers
