with

assignments as (

    select * from {{ ref('int_products__assignments') }}

),

-- every category has a first term, which may be null
names as (

    select
        source_system,
        category_id,
        category_name

    from {{ ref('int_products__terms') }}
    where term_rank = 1

),

product_categories as (

    select
        cast(assignments.product_key as string) as product_key,
        cast(assignments.source_system as string) as source_system,
        cast(assignments.category_id as int) as category_id,
        cast(names.category_name as string) as category_name,
        cast(assignments.category_source as string) as category_source,
        cast(assignments.confidence as double) as confidence

    from assignments
    inner join names
        on
            assignments.source_system = names.source_system
            and assignments.category_id = names.category_id

)

select * from product_categories
