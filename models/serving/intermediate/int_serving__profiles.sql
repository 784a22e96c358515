with

customers as (

    select * from {{ ref('customers') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

customer_lifecycle as (

    select * from {{ ref('customer_lifecycle') }}

),

-- an RFM segment can be several rectangles of the grid
descriptions as (

    select
        rfm_segment,
        min(description) as rfm_description

    from rfm_segments
    group by rfm_segment

),

-- each join is to at most one row per customer
profiles as (

    select
        customers.customer_key,
        customers.source_system,
        customers.customer_id,
        customers.joined_at,
        customers.gender,
        customers.city,
        customers.country,
        customers.age,
        customers.annual_income,
        customers.spending_score,
        source_systems.as_of_date,
        customer_rfm.recency_days,
        customer_rfm.frequency,
        customer_rfm.monetary,
        {{ ratio(
            'customer_rfm.monetary',
            'sum(customer_rfm.monetary) over (partition by customers.source_system)'
        ) }} as revenue_share,
        customer_rfm.recency_score,
        customer_rfm.frequency_score,
        customer_rfm.monetary_score,
        customer_rfm.rfm_segment,
        descriptions.rfm_description,
        customer_lifecycle.lifecycle_stage,
        customer_lifecycle.due_date,
        customer_lifecycle.overdue_days

    from customers
    left join source_systems
        on customers.source_system = source_systems.source_system
    left join customer_rfm on customers.customer_key = customer_rfm.customer_key
    left join descriptions on customer_rfm.rfm_segment = descriptions.rfm_segment
    left join customer_lifecycle
        on customers.customer_key = customer_lifecycle.customer_key

)

select * from profiles
