with

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

records as (

    select
        source_systems.source_system,
        source_systems.as_of_date,
        source_systems.has_amounts,
        cast(min(transactions.completed_at) as date) as first_purchase_date,
        count(*) as purchases

    from source_systems
    inner join transactions
        on source_systems.source_system = transactions.source_system
    where transactions.is_completed
    group by
        source_systems.source_system,
        source_systems.as_of_date,
        source_systems.has_amounts

)

select * from records
