{{ config(group='segmentation') }}

-- a new customer is predicted in the selection or in the test of a task, never in both;
-- an existing customer may be in both, if the outcome of the selection ends before the
-- date of the test
with

backtests as (

    select * from {{ ref('int_prediction__backtests') }}

),

interest_backtests as (

    select * from {{ ref('int_prediction__interest_backtests') }}

),

segment_backtests as (

    select * from {{ ref('int_prediction__segment_backtests') }}

),

predicted as (

    {% for backtest, as_of_date in [
        ('backtests', 'as_of_date'),
        ('interest_backtests', 'as_of_date'),
        ('segment_backtests', 'cast(null as date)'),
    ] -%}
    select
        source_system,
        task,
        population,
        split,
        horizon_days,
        customer_key,
        {{ as_of_date }} as as_of_date

    from {{ backtest }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

tested as (

    select
        source_system,
        task,
        population,
        customer_key,
        as_of_date

    from predicted
    where split = 'test'

),

selected as (

    select
        source_system,
        task,
        population,
        customer_key,
        max({{ days_after('horizon_days', 'as_of_date') }}) as end_date

    from predicted
    where split = 'selection'
    group by source_system, task, population, customer_key

),

in_both as (

    select distinct
        selected.source_system,
        selected.task,
        selected.population,
        selected.customer_key

    from selected
    inner join tested
        on
            selected.source_system = tested.source_system
            and selected.task = tested.task
            and selected.population = tested.population
            and selected.customer_key = tested.customer_key
    where selected.population = 'new' or selected.end_date > tested.as_of_date

)

select
    source_system,
    task,
    population,
    count(*) as customers,
    task || ' of ' || population || ' customers of ' || source_system || ': '
    || cast(count(*) as string)
    || ' customers are in the selection and in the test; see int_prediction__cohorts'
        as message

from in_both
group by source_system, task, population
