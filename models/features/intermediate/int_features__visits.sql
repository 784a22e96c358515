{{ config(materialized='table') }}

with

transactions as (

    select * from {{ ref('int_features__transactions') }}

),

-- two invoices of one day are one visit to the shop
visits as (

    select
        customer_key,
        as_of_date,
        cast(completed_at as date) as visit_date,
        sum(amount) as amount

    from transactions
    where is_completed
    group by customer_key, as_of_date, cast(completed_at as date)

),

numbered as (

    select
        *,
        case
            when amount is not null
                then cast(ln(1 + greatest(amount, 0)) as decimal(9, 6))
        end as log_amount,
        row_number() over (
            partition by customer_key, as_of_date
            order by visit_date asc
        ) as visit_number,
        count(*) over (partition by customer_key, as_of_date) as visits

    from visits

),

summed as (

    select
        customer_key,
        as_of_date,
        min(visit_date) as first_visit_date,
        sum(amount) filter (where visit_number = 1) as first_day_value,
        sum(amount) filter (where visit_number = visits) as last_day_value,
        sum(amount) filter (where visit_number > 1) as later_value,
        count(amount) filter (where visit_number > 1) as later_visits,
        sum(log_amount) as log_value,
        count(log_amount) as priced_visits

    from numbered
    group by customer_key, as_of_date

),

measured as (

    select
        customer_key,
        as_of_date,
        first_day_value,
        last_day_value,
        cast(
            {{ dbt.datediff(
                'first_visit_date', 'as_of_date', 'day'
            ) }} as int
        ) as purchase_age_days,
        {{ ratio('later_value', 'later_visits') }} as repeat_day_value,
        {{ ratio('log_value', 'priced_visits') }} as mean_log_day_value

    from summed

)

select * from measured
