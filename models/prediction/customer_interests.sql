with

interest_scores as (

    select * from {{ ref('int_prediction__interest_scores') }}

),

categories as (

    select * from {{ ref('int_prediction__categories') }}

),

customer_interests as (

    select
        interest_scores.customer_key,
        interest_scores.source_system,
        interest_scores.population,
        interest_scores.as_of_date,
        interest_scores.horizon_days,
        interest_scores.category_id,
        categories.category_name,
        interest_scores.interest_rank,
        interest_scores.probability,
        interest_scores.model_id,
        interest_scores.interest_rank <= 3 as is_top_interest

    from interest_scores
    left join categories
        on
            interest_scores.source_system = categories.source_system
            and interest_scores.category_id = categories.category_id

)

select * from customer_interests
