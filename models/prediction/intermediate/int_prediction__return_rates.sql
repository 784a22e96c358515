with

models as (

    select * from {{ ref('model_registry') }}
    where is_champion and task = 'next_purchases' and population = 'new'

),

evaluations as (

    select * from {{ ref('int_prediction__evaluations') }}
    where split = 'selection' and metric = 'return_log_loss'

),

outcomes as (

    select * from {{ ref('int_prediction__outcomes') }}
    where population = 'new'

),

-- the baseline of new customers expects all of them to return with the same
-- probability; over some horizon the champion must tell more, and over none less
compared as (

    select
        models.model_id,
        models.source_system,
        models.horizon_days,
        coalesce(bool_or(evaluations.difference_high < 0), false) as is_better,
        coalesce(bool_or(evaluations.difference_low > 0), false) as is_worse

    from models
    left join evaluations
        on
            models.source_system = evaluations.source_system
            and models.task = evaluations.task
            and models.population = evaluations.population
            and models.algorithm = evaluations.algorithm
    group by models.model_id, models.source_system, models.horizon_days

),

counted as (

    select
        source_system,
        horizon_days,
        count(*) as customers,
        count(*) filter (where has_returned) as customers_returned

    from outcomes
    group by source_system, horizon_days

),

return_rates as (

    select
        compared.model_id,
        {{ ratio('counted.customers_returned', 'counted.customers') }} as base_rate

    from compared
    inner join counted
        on
            compared.source_system = counted.source_system
            and compared.horizon_days = counted.horizon_days
    where compared.is_worse or not compared.is_better

)

select * from return_rates
