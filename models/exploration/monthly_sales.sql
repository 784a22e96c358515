with

transactions as (

    select * from {{ ref('transactions') }}

),

months as (

    select * from {{ ref('int_exploration__months') }}

),

-- a coupon sells when it is redeemed, all else when it happens
dated as (

    select
        source_system,
        transaction_key,
        customer_key,
        is_completed,
        is_return,
        amount,
        {{ happened_at() }} as happened_at,
        min(completed_at) over (partition by customer_key) as first_completed_at

    from transactions

),

flagged as (

    select
        *,
        cast(date_trunc('month', happened_at) as date) as month_date,
        customer_key is null as is_guest,
        coalesce(
            date_trunc('month', happened_at)
            = date_trunc('month', first_completed_at),
            false
        ) and customer_key is not null as is_month_of_first_purchase

    from dated

),

summed_to_months as (

    select
        source_system,
        month_date,
        count(*) as transactions,
        count(*) filter (where is_completed) as purchases,
        count(distinct case when is_completed then customer_key end) as customers,
        count(
            distinct case
                when is_completed and is_month_of_first_purchase then customer_key
            end
        ) as new_customers,
        count(*) filter (where is_return) as returns,
        count(*) filter (where is_completed and is_guest) as guest_purchases,
        sum(amount) as revenue,
        sum(case when is_completed then amount end) as gross_revenue,
        sum(case when is_return then amount end) as returned_revenue,
        sum(case when is_guest then amount end) as guest_revenue,
        sum(case when is_month_of_first_purchase then amount end)
            as new_customer_revenue

    from flagged
    group by source_system, month_date

),

monthly_sales as (

    select
        months.source_system,
        months.month_date,
        coalesce(summed.transactions, 0) as transactions,
        coalesce(summed.purchases, 0) as purchases,
        coalesce(summed.customers, 0) as customers,
        coalesce(summed.new_customers, 0) as new_customers,
        coalesce(summed.returns, 0) as returns,
        coalesce(summed.guest_purchases, 0) as guest_purchases,
        {% for money in (
            'revenue', 'gross_revenue', 'returned_revenue', 'guest_revenue',
            'new_customer_revenue'
        ) -%}
        case
            when months.has_amounts
                then cast(coalesce(summed.{{ money }}, 0) as decimal(18, 2))
        end as {{ money }},
        {% endfor -%}
        months.is_partial

    from months
    left join summed_to_months as summed
        on
            months.source_system = summed.source_system
            and months.month_date = summed.month_date

)

select * from monthly_sales
