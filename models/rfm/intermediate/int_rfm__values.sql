with

as_of_dates as (

    select * from {{ ref('int_features__as_of_dates') }}

),

lifetime as (

    select * from {{ ref('int_features__lifetime') }}

),

-- not of all features: RFM needs neither the categories of products nor any other model
-- that learns
rfm_values as (

    select
        as_of_dates.customer_key,
        as_of_dates.source_system,
        as_of_dates.as_of_date,
        as_of_dates.is_today,
        as_of_dates.is_segment_target_date,
        lifetime.recency_days,
        lifetime.frequency,
        lifetime.monetary

    from as_of_dates
    inner join lifetime
        on
            as_of_dates.customer_key = lifetime.customer_key
            and as_of_dates.as_of_date = lifetime.as_of_date
    where
        lifetime.frequency is not null
        and (as_of_dates.is_today or as_of_dates.is_segment_target_date)

)

select * from rfm_values
