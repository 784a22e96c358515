with

terms as (

    select * from {{ ref('int_products__terms') }}

),

product_category_terms as (

    select
        {{ typed({
            'source_system': 'string',
            'category_id': 'int',
            'category_name': 'string',
            'term_rank': 'int',
            'term': 'string',
            'term_share': 'double',
            'lift': 'double',
        }) }}

    from terms
    where term is not null

)

select * from product_category_terms
