with

-- fits stay on record where a source system is declared no more
fits as (

    select * from {{ ref('int_products__fits') }}
    where
        source_system in (
            {%- for name in var('product_categories') or {} %}
            '{{ name }}',
            {%- endfor %}
            ''
        )

),

product_categories as (

    select * from {{ ref('product_categories') }}

),

products as (

    select * from {{ ref('products') }}
    where is_product

),

fits_ordered as (

    select
        *,
        row_number() over (
            partition by source_system
            order by fit_number desc
        ) as reverse_fit_number

    from fits

),

-- of today's products, those without a known word have no category
products_counted as (

    select
        products.source_system,
        count(*) as products,
        count(product_categories.product_key) as categorised_products,
        count_if(product_categories.category_source = 'shop') as shop_products

    from products
    left join product_categories
        on products.product_key = product_categories.product_key
    group by products.source_system

),

product_category_choices as (

    select
        cast(fits_ordered.source_system as string) as source_system,
        cast(fits_ordered.fit_id as string) as fit_id,
        cast(fits_ordered.n_categories as int) as n_categories,
        cast(products_counted.products as bigint) as products,
        cast(products_counted.categorised_products as bigint) as categorised_products,
        cast(products_counted.shop_products as bigint) as shop_products,
        cast(fits_ordered.stability_mean as double) as stability_mean,
        cast(fits_ordered.stability_min as double) as stability_min,
        cast(fits_ordered.seed_agreement as double) as seed_agreement,
        cast(fits_ordered.silhouette as double) as silhouette,
        cast(fits_ordered.p_value as double) as p_value,
        -- own categories are not judged: they are the shop's to choose
        case
            when fits_ordered.is_own then null
            when
                fits_ordered.p_value <= {{ threshold('significance') }}
                and fits_ordered.stability_mean
                >= {{ threshold('strong_mean_stability') }}
                and fits_ordered.stability_min
                >= {{ threshold('strong_min_stability') }}
                then 'strong'
            when fits_ordered.p_value <= {{ threshold('significance') }} then 'weak'
            else 'none'
        end as verdict

    from fits_ordered
    inner join products_counted
        on fits_ordered.source_system = products_counted.source_system
    where fits_ordered.reverse_fit_number = 1

)

select * from product_category_choices
