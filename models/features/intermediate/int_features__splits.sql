{{ config(materialized='table') }}

with

source_systems as (

    select * from {{ ref('source_systems') }}

),

products as (

    {{ union_source_systems('products') }}

),

{{ prediction_records('source_systems', 'products') }},

{{ prediction_tasks('records') }},

-- whether a later cohort can be tested than was learned from; segments need that, and
-- interests an earlier date to choose on
judged as (

    select
        *,
        2 * published_days + window_days + offset_days <= limit_ago as has_later_test

    from tasks
    where
        task = 'next_purchases'
        or (task = 'interests' and 2 * published_days + offset_days <= limit_ago)
        or 2 * published_days + window_days + offset_days <= limit_ago

),

splits as (

    select 'score' as split
    union all
    select 'fit' as split
    union all
    select 'test' as split
    union all
    select 'selection' as split

),

-- the outcomes that the champion is chosen on are complete before the test begins
placed as (

    select
        judged.*,
        splits.split,
        case
            when splits.split <> 'selection' then 0
            when judged.has_later_test then judged.published_days + judged.window_days
            else judged.published_days
        end as before_days

    from judged
    cross join splits

),

-- without an earlier cohort to learn from, folds of the tested cohort take turns
timed as (

    select
        *,
        split in ('test', 'selection')
        and before_days + 2 * horizon_days + window_days + offset_days <= limit_ago
            as is_out_of_time,
        split in ('test', 'selection')
        and before_days + 2 * horizon_days + window_days + offset_days > limit_ago
            as is_cross_validated,
        before_days + horizon_days + offset_days as cohort_ago

    from placed

),

ranges as (

    select
        *,
        case
            when split = 'score' then null
            when is_out_of_time then cohort_ago + horizon_days + window_days
            else cohort_ago
        end as train_last_ago,
        case
            when split = 'fit' then null
            when split = 'score' then offset_days
            else cohort_ago
        end as test_last_ago,
        case
            when split = 'fit' then null
            when split = 'score' and population = 'new'
                then {{ var('prediction_new_customer_days') }}
            when split = 'score' then 0
            when is_out_of_time then before_days + horizon_days + window_days
            else coalesce(first_ago, cohort_ago)
        end as test_first_ago

    from timed
    where
        is_out_of_time
        or (split <> 'selection' and horizon_days = published_days)
        or (split = 'selection' and cohort_ago <= limit_ago)

),

split_dates as (

    select
        source_system,
        task,
        population,
        split,
        horizon_days,
        is_cross_validated,
        {{ days_before(
            'case when train_last_ago is not null'
            ~ ' then coalesce(first_ago, train_last_ago) end', 'as_of_date'
        ) }} as train_from_date,
        {{ days_before('train_last_ago', 'as_of_date') }} as train_to_date,
        {{ days_before('test_first_ago', 'as_of_date') }} as test_from_date,
        {{ days_before('test_last_ago', 'as_of_date') }} as test_to_date,
        as_of_date

    from ranges

)

select * from split_dates
