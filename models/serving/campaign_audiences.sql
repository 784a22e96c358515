with

targets as (

    select * from {{ ref('int_serving__targets') }}

),

sides as (

    select * from {{ ref('int_serving__sides') }}

),

customers as (

    select * from {{ ref('customers') }}

),

campaign_audiences as (

    select
        targets.campaign,
        targets.customer_key,
        targets.source_system,
        customers.customer_id,
        targets.segmentation,
        targets.segment_id,
        targets.segment_name,
        targets.action,
        targets.channel,
        targets.offer,
        targets.expected_spend as value_at_stake,
        targets.return_probability,
        targets.horizon_days,
        sides.is_control,
        sides.assigned_date,
        cast(targets.priority as bigint) as priority,
        cast(targets.value_decile as int) as value_decile

    from targets
    inner join sides
        on
            targets.campaign = sides.campaign
            and targets.customer_key = sides.customer_key
    inner join customers on targets.customer_key = customers.customer_key

)

select * from campaign_audiences
