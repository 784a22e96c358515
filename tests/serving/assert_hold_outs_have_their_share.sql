{{ config(group='segmentation') }}

-- each batch of customers that a build drew has its share of the hold-out

with

drawn as (

    select distinct
        campaign,
        customer_key,
        assigned_date,
        holdout_share,
        is_control

    from {{ ref('int_serving__sides') }}

),

batches as (

    select
        campaign,
        assigned_date,
        holdout_share,
        count(*) as customers,
        count(*) filter (where is_control) as control_customers

    from drawn
    group by campaign, assigned_date, holdout_share

)

select *
from batches
where abs(control_customers - customers * holdout_share) > 1
