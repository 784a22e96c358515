-- where today is the end of a month, its history and today's RFM are measured alike
with

history as (

    select * from {{ ref('customer_rfm_history') }}

),

rfm_history_months as (

    select * from {{ ref('rfm_history_months') }}

),

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

),

recorded as (

    select history.*
    from history
    inner join rfm_history_months
        on
            history.source_system = rfm_history_months.source_system
            and history.month_date = rfm_history_months.month_date
    where not rfm_history_months.is_outdated

)

select
    customer_rfm.customer_key,
    customer_rfm.as_of_date

from customer_rfm
inner join recorded
    on
        customer_rfm.customer_key = recorded.customer_key
        and customer_rfm.as_of_date = recorded.as_of_date
where
    customer_rfm.recency_days is distinct from recorded.recency_days
    or customer_rfm.frequency is distinct from recorded.frequency
    or customer_rfm.monetary is distinct from recorded.monetary
