{# a month is added once it has ended, and only a full refresh measures it anew -#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
) }}

with

recorded_months as (

    {% if is_incremental() -%}
    select distinct
        source_system,
        month_date

    from {{ this }}
    {%- else -%}
    {{ no_rows({'source_system': 'string', 'month_date': 'date'}) }}
    {%- endif %}

),

months as (

    select months.*
    from {{ ref('int_movement__months') }} as months
    left join recorded_months
        on
            months.source_system = recorded_months.source_system
            and months.month_date = recorded_months.month_date
    where months.is_in_history and recorded_months.month_date is null

),

customers as (

    select * from {{ ref('customers') }}

),

source_systems as (

    select * from {{ ref('source_systems') }}

),

transactions as (

    select * from {{ ref('transactions') }}

),

customer_months as (

    select * from {{ ref('int_movement__customer_months') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

-- later returns and redemptions are not known yet
known_then as (

    select
        months.month_date,
        transactions.customer_key,
        transactions.transacted_at,
        {{ as_known_on('transactions', 'months.as_of_date') }}

    from months
    inner join transactions
        on
            months.source_system = transactions.source_system
            and months.as_of_date > transactions.transacted_at
    where transactions.customer_key is not null

),

transactions_summed as (

    select
        customer_key,
        month_date,
        {{ lifetime_totals() }}

    from known_then
    group by customer_key, month_date

),

-- without a joining date, a customer is on record from the first transaction on
measured as (

    select
        customers.customer_key,
        customers.source_system,
        months.month_date,
        months.as_of_date,
        {{ lifetime_measures('months.as_of_date') }},
        coalesce(customer_months.purchases, 0) as month_purchases,
        case
            when source_systems.has_amounts
                then cast(coalesce(customer_months.spent, 0) as decimal(18, 2))
        end as month_spent

    from months
    inner join source_systems on months.source_system = source_systems.source_system
    inner join customers
        on
            months.source_system = customers.source_system
            and {{ is_known_on(
                'coalesce(customers.joined_at, customers.first_transacted_at)',
                'months.as_of_date'
            ) }}
    left join transactions_summed as summed
        on
            customers.customer_key = summed.customer_key
            and months.month_date = summed.month_date
    left join customer_months
        on
            customers.customer_key = customer_months.customer_key
            and months.month_date = customer_months.month_date

),

buyers as (

    select * from measured
    where frequency > 0

),

{{ cut_points_of('buyers', ['source_system', 'month_date']) }},

{{ segments_by_scores('measured', 'cut_points', ['source_system', 'month_date'], [
    'customer_key',
    'source_system',
    'month_date',
    'as_of_date',
    'recency_days',
    'frequency',
    'monetary',
    'month_purchases',
    'month_spent',
]) }}

select * from named
