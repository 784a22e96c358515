{{ config(severity='warn') }}

-- a source system whose record is too short for any horizon has no models
with

source_systems as (

    select * from {{ ref('source_systems') }}

),

customer_predictions as (

    select * from {{ ref('customer_predictions') }}

)

select
    source_systems.source_system,
    source_systems.first_purchase_date,
    source_systems.as_of_date,
    source_systems.source_system || ': the first purchase was on '
    || coalesce(cast(source_systems.first_purchase_date as string), 'no date')
    || ', too late for any horizon as of ' || cast(source_systems.as_of_date as string)
    || ', so there are no predictions; land older transactions, or shorten'
    || ' prediction_horizon_days' as message

from source_systems
left join customer_predictions
    on source_systems.source_system = customer_predictions.source_system
where
    source_systems.has_transactions
    and customer_predictions.customer_key is null
