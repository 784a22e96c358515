with

uplift_customers as (

    select * from {{ ref('int_serving__uplift_customers') }}

),

uplift_scores as (

    select * from {{ ref('int_serving__uplift_scores') }}

),

-- Qini curves and their intervals follow from these counts
uplift_cells as (

    select
        uplift_customers.campaign,
        uplift_customers.source_system,
        uplift_scores.uplift_tenth,
        uplift_customers.value_tenth,
        case when uplift_customers.is_treated then 'treated' else 'control' end as side,
        count(*) as customers,
        count(*) filter (where uplift_customers.buyers > 0) as buyers

    from uplift_customers
    inner join uplift_scores
        on
            uplift_customers.campaign = uplift_scores.campaign
            and uplift_customers.source_system = uplift_scores.source_system
            and uplift_customers.customer_key = uplift_scores.customer_key
    group by
        uplift_customers.campaign,
        uplift_customers.source_system,
        uplift_scores.uplift_tenth,
        uplift_customers.value_tenth,
        uplift_customers.is_treated

)

select * from uplift_cells
