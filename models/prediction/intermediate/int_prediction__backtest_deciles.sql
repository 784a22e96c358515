with

backtests as (

    select * from {{ ref('int_prediction__backtests') }}

),

interest_backtests as (

    select * from {{ ref('int_prediction__interest_backtests') }}

),

-- the sum of decimals does not depend on the order of the rows
measured as (

    {% for backtest, outcome, predicted, actual in [
        ('backtests', 'spend', 'expected_spend', 'spend'),
        ('backtests', 'purchases', 'expected_purchases', 'purchases'),
        (
            'backtests', 'return', 'return_probability',
            'case when has_returned then 1 else 0 end'
        ),
        (
            'interest_backtests', 'top_interest', 'top_probability',
            'case when category_rank = 1 then 1 else 0 end'
        ),
        (
            'interest_backtests', 'top_interests', 'top_three_probability',
            'case when category_rank <= 3 then 1 else 0 end'
        ),
    ] -%}
    select
        source_system,
        task,
        population,
        split,
        horizon_days,
        algorithm,
        is_baseline,
        customer_key,
        '{{ outcome }}' as outcome,
        cast({{ predicted }} as decimal(18, 6)) as predicted,
        cast({{ actual }} as decimal(18, 6)) as actual

    from {{ backtest }}
    where {{ predicted }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- ties are ordered by key, so that all deciles have the same size
ranked as (

    select
        *,
        row_number() over (
            partition by
                source_system, population, split, horizon_days, algorithm, outcome
            order by predicted asc, customer_key asc
        ) as predicted_rank,
        count(*) over (
            partition by
                source_system, population, split, horizon_days, algorithm, outcome
        ) as customers

    from measured

),

deciles as (

    select
        *,
        cast(floor((predicted_rank - 1) * 10 / customers) as int) + 1 as decile

    from ranked

)

select * from deciles
