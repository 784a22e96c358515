with

significant_pairs as (

    select * from {{ ref('int_exploration__significant_pairs') }}

),

basket_lines as (

    select * from {{ ref('int_exploration__basket_lines') }}

),

buyer_scopes as (

    select * from {{ ref('int_exploration__buyer_scopes') }}

),

segment_names as (

    select * from {{ ref('int_segmentation__names') }}

),

products as (

    select * from {{ ref('products') }}

),

products_named as (

    select distinct
        basket_lines.source_system,
        basket_lines.product_number,
        basket_lines.product_key,
        products.product_name

    from basket_lines
    left join products on basket_lines.product_key = products.product_key

),

scopes as (

    select distinct
        scope_number,
        source_system,
        segmentation,
        segment,
        segment_id

    from buyer_scopes

),

-- each pair is found by either product
both_ways as (

    select
        scope_number,
        product_number,
        other_product_number,
        all_baskets,
        baskets,
        other_baskets,
        baskets_together,
        buyers_together,
        expected_baskets,
        p_value,
        q_value

    from significant_pairs

    union all

    select
        scope_number,
        other_product_number as product_number,
        product_number as other_product_number,
        all_baskets,
        other_baskets as baskets,
        baskets as other_baskets,
        baskets_together,
        buyers_together,
        expected_baskets,
        p_value,
        q_value

    from significant_pairs

),

ranked as (

    select
        *,
        row_number() over (
            partition by scope_number, product_number
            order by
                p_value asc,
                baskets_together / expected_baskets desc,
                other_product_number asc
        ) as affinity_rank

    from both_ways

),

product_affinities as (

    select
        scopes.source_system,
        scopes.segmentation,
        scopes.segment_id,
        coalesce(segment_names.segment_name, scopes.segment) as segment,
        products_named.product_key,
        products_named.product_name,
        cast(ranked.affinity_rank as int) as affinity_rank,
        other_products.product_key as other_product_key,
        other_products.product_name as other_product_name,
        ranked.baskets,
        ranked.other_baskets,
        ranked.baskets_together,
        ranked.buyers_together,
        ranked.expected_baskets,
        {{ ratio('ranked.baskets_together', 'ranked.all_baskets') }} as support,
        {{ ratio('ranked.baskets_together', 'ranked.baskets') }} as other_share,
        {{ ratio('ranked.baskets_together', 'ranked.expected_baskets') }} as lift,
        ranked.p_value,
        ranked.q_value

    from ranked
    inner join scopes on ranked.scope_number = scopes.scope_number
    left join segment_names
        on
            scopes.segmentation = segment_names.segmentation
            and scopes.segment_id = segment_names.segment_id
    inner join products_named
        on
            scopes.source_system = products_named.source_system
            and ranked.product_number = products_named.product_number
    inner join products_named as other_products
        on
            scopes.source_system = other_products.source_system
            and ranked.other_product_number = other_products.product_number
    where ranked.affinity_rank <= {{ threshold('affinity_top') }}

)

select * from product_affinities
