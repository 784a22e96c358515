{{ config(severity='warn') }}
-- a source system that has recorded too short a time for any horizon has no models
with

source_systems as (

    select * from {{ ref('source_systems') }}

),

customer_predictions as (

    select * from {{ ref('customer_predictions') }}

)

select
    source_systems.source_system,
    source_systems.first_event_at,
    source_systems.as_of_date

from source_systems
left join customer_predictions
    on source_systems.source_system = customer_predictions.source_system
where
    source_systems.has_transactions
    and customer_predictions.customer_key is null
