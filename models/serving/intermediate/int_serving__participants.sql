with

runs as (

    select * from {{ ref('int_serving__runs') }}

),

sends as (

    select * from {{ ref('campaign_sends') }}
    where is_known and not is_future

),

sides as (

    {{ recorded_sides() }}

),

customers as (

    select * from {{ ref('customers') }}

),

-- the sender says who was held out, or nobody knows
declared as (

    select
        runs.campaign,
        runs.source_system,
        sends.customer_key,
        coalesce(sends.is_treated, true) as is_treated,
        coalesce(sends.is_treated, true) as is_reached

    from runs
    inner join sends
        on
            runs.campaign = sends.campaign
            and runs.source_system = sends.source_system
    where runs.holdout <> 'assigned'

),

-- the audience at the first message: customers stay on their side, whether or not a
-- message reached them, because it is not chance that decides who is reached
assigned as (

    select
        runs.campaign,
        runs.source_system,
        sides.customer_key,
        not sides.is_control as is_treated,
        sends.customer_key is not null as is_reached

    from runs
    inner join sides
        on
            runs.campaign = sides.campaign
            and runs.audience_date = sides.as_of_date
    inner join customers
        on
            sides.customer_key = customers.customer_key
            and runs.source_system = customers.source_system
    left join sends
        on
            sides.campaign = sends.campaign
            and sides.customer_key = sends.customer_key
    where runs.holdout = 'assigned'

),

participants as (

    select * from declared

    union all

    select * from assigned

)

select * from participants
