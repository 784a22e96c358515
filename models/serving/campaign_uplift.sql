with

campaign_results as (

    select * from {{ ref('campaign_results') }}
    where measure = 'purchase_rate'

),

uplift_customers as (

    select * from {{ ref('int_serving__uplift_customers') }}

),

qini as (

    select
        {{ typed({
            'campaign': 'string',
            'source_system': 'string',
            'tenth': 'int',
            'uplift_qini': 'double',
            'uplift_qini_low': 'double',
            'uplift_qini_high': 'double',
            'value_qini': 'double',
            'value_qini_low': 'double',
            'value_qini_high': 'double',
            'qini_difference': 'double',
            'qini_difference_low': 'double',
            'qini_difference_high': 'double',
        }) }}

    from {{ ref('int_serving__qini') }}

),

customers_counted as (

    select
        campaign,
        source_system,
        count(*) as customers

    from uplift_customers
    group by campaign, source_system

),

-- whoever has no effect that can be measured has no uplift either
explained as (

    select
        campaign_results.campaign,
        campaign_results.source_system,
        customers_counted.customers,
        case
            when campaign_results.reason <> 'interval_holds_zero'
                then campaign_results.reason
            when customers_counted.customers is null then 'too_little_to_learn_from'
        end as reason

    from campaign_results
    left join customers_counted
        on
            campaign_results.campaign = customers_counted.campaign
            and campaign_results.source_system = customers_counted.source_system

),

campaign_uplift as (

    select
        explained.campaign,
        explained.source_system,
        qini.uplift_qini,
        qini.uplift_qini_low,
        qini.uplift_qini_high,
        qini.value_qini,
        qini.value_qini_low,
        qini.value_qini_high,
        qini.qini_difference,
        qini.qini_difference_low,
        qini.qini_difference_high,
        cast(
            case when explained.reason is null then explained.customers else 0 end
            as bigint
        ) as customers,
        case
            when qini.qini_difference_low > 0 then 'better'
            when qini.qini_difference_high < 0 then 'worse'
            else 'cannot tell'
        end as verdict,
        case
            when explained.reason is not null then explained.reason
            when qini.qini_difference_low <= 0 and qini.qini_difference_high >= 0
                then 'interval_holds_zero'
        end as reason

    from explained
    left join qini
        on
            explained.campaign = qini.campaign
            and explained.source_system = qini.source_system
            -- coefficients are the same in all rows of a campaign
            and qini.tenth = 1
            and explained.reason is null

)

select * from campaign_uplift
