with

rfm_history as (

    select * from {{ ref('customer_rfm_history') }}

),

segment_history as (

    select * from {{ ref('customer_segment_history') }}

),

states as (

    select
        'rfm' as segmentation,
        source_system,
        customer_key,
        month_date,
        cast(null as int) as segment_id,
        rfm_segment as segment_name,
        month_spent

    from rfm_history

    union all

    select
        segmentation,
        source_system,
        customer_key,
        month_date,
        segment_id,
        segment_name,
        month_spent

    from segment_history

),

-- nothing is known before the first month on record, so nobody moves in it
months as (

    select
        segmentation,
        source_system,
        month_date,
        lag(month_date) over (
            partition by segmentation, source_system
            order by month_date asc
        ) as from_month_date

    from states
    group by segmentation, source_system, month_date

),

seen as (

    select
        states.segmentation,
        states.source_system,
        states.customer_key,
        months.month_date,
        months.from_month_date,
        cast(null as int) as from_segment_id,
        cast(null as string) as from_segment,
        states.segment_id as to_segment_id,
        states.segment_name as to_segment,
        states.month_spent

    from states
    inner join months
        on
            states.segmentation = months.segmentation
            and states.source_system = months.source_system
            and states.month_date = months.month_date
    where months.from_month_date is not null

    union all

    select
        states.segmentation,
        states.source_system,
        states.customer_key,
        months.month_date,
        months.from_month_date,
        states.segment_id as from_segment_id,
        states.segment_name as from_segment,
        cast(null as int) as to_segment_id,
        cast(null as string) as to_segment,
        cast(null as decimal(18, 2)) as month_spent

    from states
    inner join months
        on
            states.segmentation = months.segmentation
            and states.source_system = months.source_system
            and states.month_date = months.from_month_date

),

-- new customers were not on record, and nobody who is gone is
moved as (

    select
        source_system,
        segmentation,
        customer_key,
        month_date,
        from_month_date,
        max(from_segment_id) as from_segment_id,
        coalesce(max(from_segment), 'Not on record') as from_segment,
        max(to_segment_id) as to_segment_id,
        coalesce(max(to_segment), 'Not on record') as to_segment,
        max(month_spent) as month_spent

    from seen
    group by source_system, segmentation, customer_key, month_date, from_month_date

),

counted as (

    select
        source_system,
        segmentation,
        month_date,
        from_month_date,
        from_segment_id,
        from_segment,
        to_segment_id,
        to_segment,
        cast(sum(month_spent) as decimal(18, 2)) as revenue,
        count(*) as customers,
        {{ ratio('count(*)', 'sum(count(*)) over (partition by '
            ~ 'source_system, segmentation, month_date, from_segment_id, from_segment)'
        ) }} as share_of_from_segment

    from moved
    group by
        source_system,
        segmentation,
        month_date,
        from_month_date,
        from_segment_id,
        from_segment,
        to_segment_id,
        to_segment

)

select * from counted
