with

products as (

    select * from {{ ref('products') }}

),

top_pairs as (

    select * from {{ ref('int_exploration__top_pairs') }}

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

product_categories as (

    select * from {{ ref('product_categories') }}

),

entity_names as (

    select
        'product' as entity,
        product_key as entity_key,
        product_name as entity_name

    from products

    union all

    select distinct
        'category' as entity,
        source_system || ':' || cast(category_id as string) as entity_key,
        category_name as entity_name

    from product_categories

),

entities_named as (

    select distinct
        basket_lines.source_system,
        basket_lines.entity,
        basket_lines.entity_number,
        basket_lines.entity_key,
        entity_names.entity_name

    from basket_lines
    left join entity_names
        on
            basket_lines.entity = entity_names.entity
            and basket_lines.entity_key = entity_names.entity_key

),

scopes as (

    select distinct
        scope_number,
        source_system,
        entity,
        segmentation,
        segment,
        segment_id

    from buyer_scopes

),

product_affinities as (

    select
        scopes.source_system,
        scopes.entity,
        scopes.segmentation,
        scopes.segment_id,
        coalesce(segment_names.segment_name, scopes.segment) as segment,
        entities_named.entity_key,
        entities_named.entity_name,
        cast(top_pairs.affinity_rank as int) as affinity_rank,
        other_entities.entity_key as other_entity_key,
        other_entities.entity_name as other_entity_name,
        top_pairs.baskets,
        top_pairs.other_baskets,
        top_pairs.baskets_together,
        top_pairs.buyers_together,
        top_pairs.expected_baskets,
        {{ ratio('top_pairs.baskets_together', 'top_pairs.all_baskets') }} as support,
        {{ ratio('top_pairs.baskets_together', 'top_pairs.baskets') }} as other_share,
        {{ ratio('top_pairs.baskets_together', 'top_pairs.expected_baskets') }} as lift,
        top_pairs.p_value,
        top_pairs.q_value

    from top_pairs
    inner join scopes on top_pairs.scope_number = scopes.scope_number
    left join segment_names
        on
            scopes.segmentation = segment_names.segmentation
            and scopes.segment_id = segment_names.segment_id
    inner join entities_named
        on
            scopes.source_system = entities_named.source_system
            and scopes.entity = entities_named.entity
            and top_pairs.entity_number = entities_named.entity_number
    inner join entities_named as other_entities
        on
            scopes.source_system = other_entities.source_system
            and scopes.entity = other_entities.entity
            and top_pairs.other_entity_number = other_entities.entity_number

)

select * from product_affinities
