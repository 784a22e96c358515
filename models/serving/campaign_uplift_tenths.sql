with

campaign_uplift as (

    select * from {{ ref('campaign_uplift') }}

),

uplift_cells as (

    select * from {{ ref('int_serving__uplift_cells') }}

),

qini as (

    select
        {{ typed({
            'campaign': 'string',
            'source_system': 'string',
            'tenth': 'int',
            'uplift_gain': 'double',
            'value_gain': 'double',
            'random_gain': 'double',
        }) }}

    from {{ ref('int_serving__qini') }}

),

summed_to_tenths as (

    select
        campaign,
        source_system,
        uplift_tenth as tenth,
        sum(customers) as customers,
        {{ ratio(
            "sum(buyers) filter (where side = 'treated')",
            "sum(customers) filter (where side = 'treated')"
        ) }} as treated_rate,
        {{ ratio(
            "sum(buyers) filter (where side = 'control')",
            "sum(customers) filter (where side = 'control')"
        ) }} as control_rate

    from uplift_cells
    group by campaign, source_system, uplift_tenth

),

campaign_uplift_tenths as (

    select
        qini.campaign,
        qini.source_system,
        qini.tenth,
        cast(summed_to_tenths.customers as bigint) as customers,
        summed_to_tenths.treated_rate,
        summed_to_tenths.control_rate,
        qini.uplift_gain,
        qini.value_gain,
        qini.random_gain

    from qini
    inner join campaign_uplift
        on
            qini.campaign = campaign_uplift.campaign
            and qini.source_system = campaign_uplift.source_system
            and campaign_uplift.uplift_qini is not null
    inner join summed_to_tenths
        on
            qini.campaign = summed_to_tenths.campaign
            and qini.source_system = summed_to_tenths.source_system
            and qini.tenth = summed_to_tenths.tenth

)

select * from campaign_uplift_tenths
