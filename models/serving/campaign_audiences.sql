with

targets as (

    select * from {{ ref('int_serving__targets') }}

),

sides as (

    select * from {{ ref('int_serving__sides') }}

),

names as (

    select * from {{ ref('int_segmentation__names') }}

),

scores as (

    {{ scores_of_all() }}

),

customers as (

    select * from {{ ref('customers') }}

),

ranked as (

    select
        targets.*,
        scores.expected_spend,
        scores.return_probability,
        scores.horizon_days,
        row_number() over (
            partition by targets.campaign
            order by
                scores.expected_spend desc nulls last,
                scores.return_probability desc nulls last,
                targets.value_rank asc
        ) as priority

    from targets
    left join scores on targets.customer_key = scores.customer_key

),

campaign_audiences as (

    select
        ranked.campaign,
        ranked.customer_key,
        ranked.source_system,
        customers.customer_id,
        ranked.segmentation,
        ranked.segment_id,
        ranked.action,
        ranked.channel,
        ranked.offer,
        ranked.expected_spend as value_at_stake,
        ranked.return_probability,
        sides.is_control,
        sides.assigned_date,
        cast(ranked.horizon_days as int) as horizon_days,
        cast(ranked.priority as bigint) as priority,
        cast(ranked.value_decile as int) as value_decile,
        coalesce(ranked.rfm_segment, names.segment_name) as segment_name

    from ranked
    inner join sides
        on
            ranked.campaign = sides.campaign
            and ranked.customer_key = sides.customer_key
            and ranked.as_of_date = sides.as_of_date
    inner join customers on ranked.customer_key = customers.customer_key
    left join names
        on
            ranked.segmentation = names.segmentation
            and ranked.segment_id = names.segment_id

)

select * from campaign_audiences
