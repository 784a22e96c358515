{{ config(materialized='table') }}

with

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}

),

source_systems as (

    select * from {{ ref('int_features__source_systems') }}

),

transactions as (

    select * from {{ ref('int_features__transactions') }}

),

-- every coupon was claimed, whether or not it has been redeemed since
transactions_summed as (

    select
        customer_key,
        as_of_date,
        count(*) filter (where is_completed) as purchases,
        count(*) filter (where is_return) as returned,
        count(distinct merchant_key) as merchants,
        count(*) filter (where status in ('claimed', 'redeemed')) as coupons,
        count(*) filter (where status = 'redeemed') as redeemed_coupons,
        count(amount) filter (where is_completed) as purchases_with_amount,
        sum(amount) filter (where is_completed) as purchased_amount

    from transactions
    group by customer_key, as_of_date

),

measured as (

    select
        as_of_dates.customer_key,
        as_of_dates.as_of_date,
        {{ ratio('summed.purchased_amount', 'summed.purchases_with_amount') }}
            as mean_basket_value,
        case
            when source_systems.has_returns
                then {{ ratio(
                    'summed.returned', '(summed.purchases + summed.returned)'
                ) }}
        end as return_rate,
        case
            when source_systems.has_coupons then coalesce(summed.coupons, 0)
        end as coupons,
        {{ ratio('summed.redeemed_coupons', 'summed.coupons') }} as redemption_rate,
        case
            when source_systems.has_merchants then coalesce(summed.merchants, 0)
        end as distinct_merchants

    from as_of_dates
    inner join source_systems
        on as_of_dates.source_system = source_systems.source_system
    left join transactions_summed as summed
        on
            as_of_dates.customer_key = summed.customer_key
            and as_of_dates.as_of_date = summed.as_of_date
    where source_systems.has_transactions

)

select * from measured
