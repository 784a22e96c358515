{{ config(materialized='table') }}

with

customers as (

    {{ union_source_systems('customers') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

splits as (

    select * from {{ ref('int_features__splits') }}

),

-- the hash of the key chooses whom models learn from, whatever the customers did
first_purchases as (

    select
        customer_key,
        source_system,
        cast(min(completed_at) as date) as first_purchase_date,
        row_number() over (
            partition by source_system
            order by md5(customer_key) asc, customer_key asc
        ) <= {{ var('training_customers') }} as is_training_customer

    from transactions
    where is_completed and customer_key is not null
    group by customer_key, source_system

),

-- the dates that models of existing customers learn from, and are tested on
training_dates as (

    select
        source_system,
        train_from_date as as_of_date

    from splits
    where population = 'existing' and train_from_date is not null

    union distinct

    select
        source_system,
        test_from_date as as_of_date

    from splits
    where population = 'existing' and test_from_date is not null

),

requested as (

    select
        customers.customer_key,
        customers.source_system,
        source_systems.as_of_date,
        true as is_today,
        false as is_training_date,
        false as is_segment_target_date

    from customers
    inner join source_systems
        on customers.source_system = source_systems.source_system
    where {{ is_known_on('customers.joined_at', 'source_systems.as_of_date') }}

    union all

    select
        first_purchases.customer_key,
        first_purchases.source_system,
        training_dates.as_of_date,
        false as is_today,
        true as is_training_date,
        false as is_segment_target_date

    from first_purchases
    inner join training_dates
        on
            first_purchases.source_system = training_dates.source_system
            and first_purchases.first_purchase_date < training_dates.as_of_date
    where first_purchases.is_training_customer

    union all

    -- the same time after the first purchase for all, if that date has come; events
    -- on the as-of date itself are ignored, hence one day more
    select
        first_purchases.customer_key,
        first_purchases.source_system,
        {{ days_after(
            var('prediction_segment_days') + 1, 'first_purchases.first_purchase_date'
        ) }} as as_of_date,
        false as is_today,
        false as is_training_date,
        true as is_segment_target_date

    from first_purchases
    inner join source_systems
        on first_purchases.source_system = source_systems.source_system
    where
        first_purchases.is_training_customer
        and {{ days_after(
            var('prediction_segment_days') + 1, 'first_purchases.first_purchase_date'
        ) }} <= source_systems.as_of_date

),

-- a date may be wanted for several reasons
as_of_dates as (

    select
        requested.customer_key,
        requested.source_system,
        requested.as_of_date,
        first_purchases.first_purchase_date,
        bool_or(requested.is_today) as is_today,
        bool_or(requested.is_training_date) as is_training_date,
        bool_or(requested.is_segment_target_date) as is_segment_target_date,
        coalesce(first_purchases.first_purchase_date < requested.as_of_date, false)
            as has_purchased,
        coalesce(first_purchases.is_training_customer, false) as is_training_customer

    from requested
    left join first_purchases
        on requested.customer_key = first_purchases.customer_key
    group by
        requested.customer_key,
        requested.source_system,
        requested.as_of_date,
        first_purchases.first_purchase_date,
        first_purchases.is_training_customer

)

select * from as_of_dates
