with

models as (

    select * from {{ ref('model_registry') }}
    where is_champion and task like 'segment:%'

),

evaluations as (

    select * from {{ ref('int_prediction__evaluations') }}
    where split = 'selection' and metric in ('accuracy', 'accuracy_of_returned')

),

-- how many more segments the champion names correctly than the majority, at least and
-- at most; the selection tells, since the test chooses nothing
compared as (

    select
        models.model_id,
        max(
            case
                when evaluations.metric = 'accuracy'
                    then evaluations.difference_low
            end
        ) as gain_low,
        max(
            case
                when evaluations.metric = 'accuracy_of_returned'
                    then evaluations.difference_high
            end
        ) as gain_of_returned_high

    from models
    left join evaluations
        on
            models.source_system = evaluations.source_system
            and models.task = evaluations.task
            and models.population = evaluations.population
            and models.horizon_days = evaluations.horizon_days
            and models.algorithm = evaluations.algorithm
    group by models.model_id

),

withheld_labels as (

    select
        model_id,
        case
            when gain_low is null or gain_low <= 0 then 'no_better_than_majority'
            when gain_of_returned_high < 0 then 'worse_for_returned'
        end as withheld_reason

    from compared

)

select * from withheld_labels
