{# in YAML, dbt's partial parsing loses it -#}
{{ config(severity='warn') }}

-- ids are never used twice: a later fit of the categories may make one that a
-- segmentation by shares of categories does not name
with

product_categories as (

    select * from {{ ref('product_categories') }}

),

declared_features as (
    {{ declared_features() }}

),

categories as (

    select distinct
        source_system,
        category_id,
        category_name,
        'category_' || cast(category_id as string) || '_share' as feature

    from product_categories

),

by_taste as (

    select distinct
        source_system,
        segmentation

    from declared_features
    where feature like 'category!_%!_share' escape '!'

)

select
    by_taste.segmentation,
    categories.feature,
    by_taste.segmentation || ': leaves out the category '
    || categories.category_name || '; add ' || categories.feature
    || ' to its features in vars.yml' as message

from by_taste
inner join categories on by_taste.source_system = categories.source_system
left join declared_features
    on
        by_taste.segmentation = declared_features.segmentation
        and categories.feature = declared_features.feature
where declared_features.feature is null
