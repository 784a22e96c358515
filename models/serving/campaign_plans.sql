{#- the quantiles of 97.5 % and 80 %: a test at 5 %, with a power of 80 % -#}
{%- set quantiles = 1.959964 + 0.841621 -%}

with

campaigns as (

    {{ campaigns() }}

),

targets as (

    select * from {{ ref('int_serving__targets') }}

),

sides as (

    select * from {{ ref('int_serving__sides') }}

),

plays as (

    select * from {{ ref('int_serving__plays') }}

),

scores as (

    {{ scores_of_all() }}

),

-- of the horizon of the prediction, the campaign is measured for a part
expected as (

    select
        targets.campaign,
        targets.customer_key,
        sides.is_control,
        targets.mean_basket_value as basket,
        1 - power(
            1 - scores.return_probability,
            {{ ratio(var('campaign_window_days'), 'scores.horizon_days') }}
        ) as rate

    from targets
    inner join sides
        on
            targets.campaign = sides.campaign
            and targets.customer_key = sides.customer_key
            and targets.as_of_date = sides.as_of_date
    left join scores on targets.customer_key = scores.customer_key

),

summed_to_campaigns as (

    select
        campaign,
        count(*) as customers,
        count(*) filter (where is_control) as control_customers,
        count(*) filter (where not is_control) as treated_customers,
        {{ ratio(exact_sum('rate'), 'count(rate)') }} as baseline_rate,
        {{ ratio(exact_sum('rate * basket'), 'count(rate * basket)') }}
            as baseline_spend,
        {{ ratio(exact_sum('rate * basket * basket'), 'count(rate * basket)') }}
            as baseline_square

    from expected
    group by campaign

),

segments_counted as (

    select
        campaigns.campaign,
        count(plays.play) as segments,
        min(plays.verdict) as verdict

    from campaigns
    left join plays
        on
            campaigns.segmentation = plays.segmentation
            and campaigns.action = plays.action
    group by campaigns.campaign

),

described as (

    select
        campaigns.*,
        segments_counted.segments,
        segments_counted.verdict,
        summed_to_campaigns.baseline_rate,
        summed_to_campaigns.baseline_spend,
        coalesce(summed_to_campaigns.customers, 0) as customers,
        coalesce(summed_to_campaigns.control_customers, 0) as control_customers,
        coalesce(summed_to_campaigns.treated_customers, 0) as treated_customers,
        -- rates near 0 hardly vary, so the rate with the effect says how much they do
        {{ rate_deviation('summed_to_campaigns.baseline_rate') }} as rate_deviation,
        -- rounding makes the variance of equal baskets a little less than 0
        sqrt(
            abs(
                summed_to_campaigns.baseline_square
                - power(summed_to_campaigns.baseline_spend, 2)
            )
        ) as spend_deviation,
        sqrt(
            {{ ratio('1', 'summed_to_campaigns.control_customers') }}
            + {{ ratio('1', 'summed_to_campaigns.treated_customers') }}
        ) as spread

    from campaigns
    inner join segments_counted on campaigns.campaign = segments_counted.campaign
    left join summed_to_campaigns on campaigns.campaign = summed_to_campaigns.campaign

),

campaign_plans as (

    select
        campaign,
        source_system,
        segmentation,
        action,
        verdict,
        {{ campaign_status() }} as status,
        cast(segments as bigint) as segments,
        cast(customers as bigint) as customers,
        cast(treated_customers as bigint) as treated_customers,
        cast(control_customers as bigint) as control_customers,
        {{ var('campaign_window_days') }} as window_days,
        baseline_rate,
        baseline_spend,
        {{ quantiles }} * rate_deviation * spread as detectable_rate,
        {{ quantiles }} * spend_deviation * spread as detectable_spend,
        {{ customers_needed(quantiles) }} as customers_needed,
        {{ quantiles }} * rate_deviation * spread
        <= {{ threshold('campaign_relevant_rate') }} as is_large_enough

    from described

)

select * from campaign_plans
