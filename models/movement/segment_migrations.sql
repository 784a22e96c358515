with

moves as (

    select * from {{ ref('int_movement__moves') }}

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
        count(*) as customers

    from moves
    group by
        source_system,
        segmentation,
        month_date,
        from_month_date,
        from_segment_id,
        from_segment,
        to_segment_id,
        to_segment

),

shares_added as (

    select
        source_system,
        segmentation,
        month_date,
        from_month_date,
        from_segment_id,
        from_segment,
        to_segment_id,
        to_segment,
        customers,
        revenue,
        {{ ratio('customers', 'sum(customers) over (partition by '
            ~ 'source_system, segmentation, month_date, from_segment_id, from_segment)'
        ) }} as share_of_from_segment

    from counted

)

select * from shares_added
