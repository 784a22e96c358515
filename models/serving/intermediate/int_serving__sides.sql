with

targets as (

    select * from {{ ref('int_serving__targets') }}

),

kept as (

    select
        campaign,
        customer_key

    from {{ this if is_incremental() else 'targets' }}
    where {{ is_incremental() | lower }}

),

kept_counted as (

    select
        campaign,
        count(*) as customers

    from kept
    group by campaign

),

-- customers keep their side, so only those who are new to the audience get one
newcomers as (

    select targets.*
    from targets
    left join kept
        on targets.campaign = kept.campaign and targets.customer_key = kept.customer_key
    where kept.customer_key is null

),

-- within a decile of value, the order is that of a hash: as good as random
numbered as (

    select
        newcomers.campaign,
        newcomers.customer_key,
        newcomers.as_of_date,
        coalesce(kept_counted.customers, 0) + row_number() over (
            partition by newcomers.campaign
            order by
                newcomers.value_decile,
                md5(newcomers.campaign || ':' || newcomers.customer_key),
                newcomers.customer_key
        ) as place

    from newcomers
    left join kept_counted on newcomers.campaign = kept_counted.campaign

),

-- every tenth customer is held out, so every decile gives its share
sides as (

    select
        campaign,
        customer_key,
        as_of_date as assigned_date,
        floor(place * {{ holdout_share() }} + 0.5)
        > floor((place - 1) * {{ holdout_share() }} + 0.5) as is_control

    from numbered

)

select * from sides
