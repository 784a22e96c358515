with

campaign_sends as (

    select * from {{ ref('campaign_sends') }}

),

sides as (

    {{ recorded_sides() }}

),

customers as (

    select * from {{ ref('customers') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

summed_to_runs as (

    select
        campaign,
        source_system,
        cast(
            min(sent_at) filter (
                where is_known and not is_future and coalesce(is_treated, true)
            ) as date
        ) as start_date,
        cast(
            max(sent_at) filter (
                where is_known and not is_future and coalesce(is_treated, true)
            ) as date
        ) as last_date,
        count(*) filter (where not is_known) as unknown_customers,
        count(*) filter (where is_known and is_future) as future_sends,
        count(*) filter (where is_known and not is_treated) as declared_customers

    from campaign_sends
    group by campaign, source_system

),

members_counted as (

    select
        sides.campaign,
        customers.source_system,
        sides.as_of_date,
        count(*) filter (where sides.is_control) as assigned_customers,
        count(*) filter (
            where not sides.is_control and campaign_sends.is_known
        ) as reached_customers

    from sides
    inner join customers on sides.customer_key = customers.customer_key
    left join campaign_sends
        on
            sides.campaign = campaign_sends.campaign
            and sides.customer_key = campaign_sends.customer_key
            and not campaign_sends.is_future
    group by sides.campaign, customers.source_system, sides.as_of_date

),

-- data that end on the day of the first message may hold its first effects, so that
-- audience counts only if the messages show that it is the one that was written to
audiences_ranked as (

    select
        members_counted.*,
        row_number() over (
            partition by members_counted.campaign, members_counted.source_system
            order by
                members_counted.reached_customers desc,
                case
                    when members_counted.as_of_date <= summed_to_runs.start_date then 0
                    else 1
                end asc,
                members_counted.as_of_date desc
        ) as place

    from summed_to_runs
    inner join members_counted
        on
            summed_to_runs.campaign = members_counted.campaign
            and summed_to_runs.source_system = members_counted.source_system
            and {{ days_before(1, 'members_counted.as_of_date') }}
            <= summed_to_runs.start_date

),

audiences as (

    select * from audiences_ranked
    where place = 1

),

runs as (

    select
        summed_to_runs.campaign,
        summed_to_runs.source_system,
        summed_to_runs.start_date,
        summed_to_runs.unknown_customers,
        summed_to_runs.future_sends,
        source_systems.has_transactions,
        source_systems.has_amounts,
        audiences.as_of_date as audience_date,
        {{ days_after(var('campaign_window_days'), 'summed_to_runs.last_date') }}
            as end_date,
        {{ days_before(var('campaign_history_days'), 'summed_to_runs.start_date') }}
            as history_date,
        {{ days_after(var('campaign_window_days'), 'summed_to_runs.last_date') }}
        <= source_systems.as_of_date as is_over,
        case
            when summed_to_runs.declared_customers > 0 then 'declared'
            when audiences.assigned_customers > 0 then 'assigned'
            else 'none'
        end as holdout

    from summed_to_runs
    inner join source_systems
        on summed_to_runs.source_system = source_systems.source_system
    left join audiences
        on
            summed_to_runs.campaign = audiences.campaign
            and summed_to_runs.source_system = audiences.source_system

)

select * from runs
