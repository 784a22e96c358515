{{ config(severity='warn') }}

-- a source system whose record is too short for any horizon has no models
with

source_systems as (

    select * from {{ ref('source_systems') }}

),

customer_predictions as (

    select distinct source_system from {{ ref('customer_predictions') }}

),

customers as (

    select * from {{ ref('customers') }}

),

-- purchases of guests are no history of anybody
counted as (

    select
        source_system,
        sum(case when lifetime_purchases > 0 then 1 else 0 end) as buyers

    from customers
    group by source_system

),

without_predictions as (

    select
        source_systems.source_system,
        source_systems.first_purchase_date,
        source_systems.as_of_date,
        counted.buyers

    from source_systems
    left join counted
        on source_systems.source_system = counted.source_system
    left join customer_predictions
        on source_systems.source_system = customer_predictions.source_system
    where
        source_systems.has_transactions
        and customer_predictions.source_system is null

)

select
    source_system,
    first_purchase_date,
    as_of_date,
    source_system || case
        when buyers is null
            then
                ': no transaction names a customer, so there are no segments and no'
                || ' predictions; land files with the ids of customers'
        when buyers = 0
            then
                ': no customer has a purchase before '
                || cast(as_of_date as string)
                || ', so there are no RFM scores and no predictions; land purchases'
        else
            ': the first purchase was on '
            || coalesce(cast(first_purchase_date as string), 'no date')
            || ', too late for any horizon as of ' || cast(as_of_date as string)
            || ', so there are no predictions; land older transactions, or shorten'
            || ' prediction_horizon_days'
    end as message

from without_predictions
