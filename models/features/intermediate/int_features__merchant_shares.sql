with

transactions as (

    select * from {{ ref('int_observations__transactions') }}

),

-- a claimed coupon shows a taste for the merchant, redeemed or not
summed_to_merchants as (

    select
        customer_key,
        source_system,
        as_of_date,
        is_present,
        merchant_key,
        min(merchant_name) as merchant_name,
        count(*) as transaction_count,
        count(completed_at) as purchases,
        max(transacted_at) as last_transacted_at

    from transactions
    where merchant_key is not null
    group by customer_key, source_system, as_of_date, is_present, merchant_key

),

summed_to_customers as (

    select
        customer_key,
        as_of_date,
        sum(transaction_count) as transaction_count

    from summed_to_merchants
    group by customer_key, as_of_date

),

-- of merchants that are visited equally often, the one bought from more, then later
merchants_ranked as (

    select
        *,
        row_number() over (
            partition by customer_key, as_of_date
            order by
                transaction_count desc,
                purchases desc,
                last_transacted_at desc,
                merchant_key asc
        ) as merchant_rank

    from summed_to_merchants

),

merchant_shares as (

    select
        ranked.customer_key,
        ranked.source_system,
        ranked.as_of_date,
        ranked.is_present,
        ranked.merchant_key,
        ranked.merchant_name,
        ranked.transaction_count,
        {{ ratio(
            'ranked.transaction_count', 'summed_to_customers.transaction_count'
        ) }} as merchant_share,
        cast(ranked.merchant_rank as int) as merchant_rank

    from merchants_ranked as ranked
    inner join summed_to_customers
        on
            ranked.customer_key = summed_to_customers.customer_key
            and ranked.as_of_date = summed_to_customers.as_of_date

)

select * from merchant_shares
