with

targets as (

    select * from {{ ref('int_serving__targets') }}

),

recorded as (

    {% if is_incremental() %}
    select
        campaign,
        customer_key,
        as_of_date,
        assigned_date,
        holdout_share,
        is_control

    from {{ this }}
    {% else %}
    {{ no_rows({
        'campaign': 'string',
        'customer_key': 'string',
        'as_of_date': 'date',
        'assigned_date': 'date',
        'holdout_share': 'decimal(9, 6)',
        'is_control': 'boolean',
    }) }}
    {% endif %}

),

-- customers keep their side for as long as the campaign has its name
drawn as (

    select distinct
        campaign,
        customer_key,
        assigned_date,
        holdout_share,
        is_control

    from recorded

),

batches_counted as (

    select
        campaign,
        assigned_date,
        count(*) as customers

    from drawn
    group by campaign, assigned_date

),

unrecorded as (

    select targets.*
    from targets
    left join recorded
        on
            targets.campaign = recorded.campaign
            and targets.customer_key = recorded.customer_key
            and targets.as_of_date = recorded.as_of_date
    where recorded.customer_key is null

),

carried_on as (

    select
        unrecorded.campaign,
        unrecorded.customer_key,
        unrecorded.as_of_date,
        drawn.assigned_date,
        drawn.holdout_share,
        drawn.is_control

    from unrecorded
    inner join drawn
        on
            unrecorded.campaign = drawn.campaign
            and unrecorded.customer_key = drawn.customer_key

),

-- within a decile of value, the order is that of a hash: as good as random
numbered as (

    select
        unrecorded.campaign,
        unrecorded.customer_key,
        unrecorded.as_of_date,
        coalesce(batches_counted.customers, 0) + row_number() over (
            partition by unrecorded.campaign, unrecorded.as_of_date
            order by
                unrecorded.value_decile,
                md5(unrecorded.campaign || ':' || unrecorded.customer_key),
                unrecorded.customer_key
        ) as place,
        {{ hash_fraction(
            "unrecorded.campaign || ':' || cast(unrecorded.as_of_date as string)"
        ) }} as start_fraction

    from unrecorded
    left join drawn
        on
            unrecorded.campaign = drawn.campaign
            and unrecorded.customer_key = drawn.customer_key
    left join batches_counted
        on
            unrecorded.campaign = batches_counted.campaign
            and unrecorded.as_of_date = batches_counted.assigned_date
    where drawn.customer_key is null

),

-- every tenth customer is held out, from a random start, so deciles give their share
newcomers as (

    select
        campaign,
        customer_key,
        as_of_date,
        as_of_date as assigned_date,
        {{ holdout_share() }} as holdout_share,
        floor(place * {{ holdout_share() }} + start_fraction)
        > floor((place - 1) * {{ holdout_share() }} + start_fraction) as is_control

    from numbered

),

sides as (

    select * from carried_on

    union all

    select * from newcomers

)

select * from sides
