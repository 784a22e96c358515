-- Where are coupons redeemed, by city of the customer and by merchant? A coupon claimed
-- shortly before the as-of date may still be redeemed, so compare the rates with each
-- other.
with

transactions as (

    select * from {{ ref('transactions') }}
    where coupon_code is not null

),

customers as (

    select * from {{ ref('customers') }}

),

coupons as (

    select
        transactions.source_system,
        'city' as place_kind,
        customers.city as place,
        transactions.is_completed

    from transactions
    inner join customers on transactions.customer_key = customers.customer_key

    union all

    select
        source_system,
        'merchant' as place_kind,
        merchant_name as place,
        is_completed

    from transactions

)

select
    source_system,
    place_kind,
    place,
    count(*) as coupons,
    count(*) filter (where is_completed) as redeemed,
    {{ ratio('count(*) filter (where is_completed)', 'count(*)') }} as redemption_rate

from coupons
group by source_system, place_kind, place
order by
    source_system asc,
    place_kind asc,
    redemption_rate desc,
    place asc nulls last
