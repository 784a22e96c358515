-- no audience comes from segments that do not exist, and plans count the audiences

with

campaign_audiences as (

    select
        campaign,
        count(*) as customers,
        count(*) filter (where is_control) as control_customers

    from {{ ref('campaign_audiences') }}
    group by campaign

)

select
    campaign_plans.campaign,
    campaign_plans.customers,
    campaign_audiences.customers as audience

from {{ ref('campaign_plans') }} as campaign_plans
left join campaign_audiences on campaign_plans.campaign = campaign_audiences.campaign
where
    coalesce(campaign_audiences.customers, 0) <> campaign_plans.customers
    or coalesce(campaign_audiences.control_customers, 0)
    <> campaign_plans.control_customers
    or (campaign_plans.verdict = 'none' and campaign_plans.customers > 0)
