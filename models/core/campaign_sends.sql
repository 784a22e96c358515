with

sends as (

    select * from {{ ref('stg_campaigns__sends') }}
    where is_usable

),

customers as (

    select * from {{ ref('customers') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

-- a message that is not sent yet has done nothing
campaign_sends as (

    select
        sends.campaign,
        sends.source_system,
        sends.customer_id,
        customers.customer_key,
        sends.sent_at,
        sends.is_treated,
        customers.customer_key is not null as is_known,
        coalesce(sends.sent_at >= source_systems.as_of_date, false) as is_future

    from sends
    inner join source_systems on sends.source_system = source_systems.source_system
    left join customers
        on
            sends.source_system = customers.source_system
            and sends.customer_id = customers.customer_id

)

select * from campaign_sends
