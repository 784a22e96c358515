-- every month's matrix has each customer once: its rows add up to the month before, its
-- columns to the month itself
with

segment_migrations as (

    select * from {{ ref('segment_migrations') }}

),

history as (

    select
        'rfm' as segmentation,
        source_system,
        month_date

    from {{ ref('customer_rfm_history') }}

    union all

    select
        segmentation,
        source_system,
        month_date

    from {{ ref('customer_segment_history') }}

),

customers_counted as (

    select
        segmentation,
        source_system,
        month_date,
        count(*) as customers

    from history
    group by segmentation, source_system, month_date

),

matrices as (

    select
        segmentation,
        source_system,
        month_date,
        from_month_date,
        sum(customers) filter (where from_segment <> 'Not on record') as from_customers,
        sum(customers) filter (where to_segment <> 'Not on record') as to_customers,
        sum(share_of_from_segment) - count(distinct coalesce(
            cast(from_segment_id as string), from_segment
        )) as excess_share

    from segment_migrations
    group by segmentation, source_system, month_date, from_month_date

),

-- all months but the first have a matrix
months_numbered as (

    select
        *,
        row_number() over (
            partition by segmentation, source_system
            order by month_date asc
        ) as month_number

    from customers_counted

),

compared as (

    select
        months_numbered.segmentation,
        months_numbered.source_system,
        months_numbered.month_date,
        months_numbered.customers,
        matrices.to_customers,
        earlier.customers as earlier_customers,
        matrices.from_customers,
        matrices.excess_share

    from months_numbered
    left join matrices
        on
            months_numbered.segmentation = matrices.segmentation
            and months_numbered.source_system = matrices.source_system
            and months_numbered.month_date = matrices.month_date
    left join customers_counted as earlier
        on
            matrices.segmentation = earlier.segmentation
            and matrices.source_system = earlier.source_system
            and matrices.from_month_date = earlier.month_date
    where months_numbered.month_number > 1

)

select *
from compared
where
    to_customers is distinct from customers
    or from_customers is distinct from earlier_customers
    or abs(excess_share) > 0.000001
