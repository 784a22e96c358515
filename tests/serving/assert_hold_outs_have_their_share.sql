-- on the first build, every decile of value has its share of the hold-out

with

deciles as (

    select
        campaign,
        value_decile,
        count(*) as customers,
        count(*) filter (where is_control) as control_customers,
        count(distinct assigned_date) over (partition by campaign) as assigned_dates

    from {{ ref('campaign_audiences') }}
    group by campaign, value_decile, assigned_date

)

select *
from deciles
where
    assigned_dates = 1
    and abs(control_customers - customers * {{ holdout_share() }}) > 1
