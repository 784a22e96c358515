with

campaign_uplift as (

    select * from {{ ref('campaign_uplift') }}

),

uplift_customers as (

    select * from {{ ref('int_serving__uplift_customers') }}

),

uplift_scores as (

    select
        {{ typed({
            'campaign': 'string',
            'source_system': 'string',
            'customer_key': 'string',
            'expected_uplift': 'double',
            'uplift_tenth': 'int',
        }) }}

    from {{ ref('int_serving__uplift_scores') }}

),

customer_uplift as (

    select
        uplift_customers.campaign,
        uplift_customers.source_system,
        uplift_customers.customer_key,
        uplift_customers.is_treated,
        uplift_scores.expected_uplift,
        uplift_scores.uplift_tenth,
        uplift_customers.value_rank,
        uplift_customers.value_tenth,
        cast(
            row_number() over (
                partition by uplift_customers.campaign, uplift_customers.source_system
                order by
                    uplift_scores.uplift_tenth asc,
                    uplift_scores.expected_uplift desc,
                    uplift_customers.value_rank asc
            ) as bigint
        ) as uplift_rank

    from uplift_customers
    inner join campaign_uplift
        on
            uplift_customers.campaign = campaign_uplift.campaign
            and uplift_customers.source_system = campaign_uplift.source_system
            and campaign_uplift.uplift_qini is not null
    inner join uplift_scores
        on
            uplift_customers.campaign = uplift_scores.campaign
            and uplift_customers.source_system = uplift_scores.source_system
            and uplift_customers.customer_key = uplift_scores.customer_key

)

select * from customer_uplift
