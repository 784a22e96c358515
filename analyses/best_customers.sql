-- Who are the best customers, and how much do they bring? The top 20 of each source
-- system by money spent, net of returns.
with

customers as (

    select * from {{ ref('customers') }}

),

customer_rfm as (

    select * from {{ ref('customer_rfm') }}

),

ranked as (

    select
        source_system,
        customer_key,
        country,
        city,
        lifetime_purchases,
        lifetime_spent,
        row_number() over (
            partition by source_system
            order by lifetime_spent desc, customer_key asc
        ) as spend_rank,
        sum(lifetime_spent) over (partition by source_system) as spent_by_all

    from customers
    where lifetime_spent is not null

)

select
    ranked.source_system,
    ranked.spend_rank,
    ranked.customer_key,
    ranked.country,
    ranked.city,
    customer_rfm.rfm_segment,
    customer_rfm.recency_days,
    ranked.lifetime_purchases,
    ranked.lifetime_spent,
    {{ ratio('ranked.lifetime_spent', 'ranked.spent_by_all') }} as spend_share

from ranked
left join customer_rfm on ranked.customer_key = customer_rfm.customer_key
where ranked.spend_rank <= 20
order by ranked.source_system asc, ranked.spend_rank asc
