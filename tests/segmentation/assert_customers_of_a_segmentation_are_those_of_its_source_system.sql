-- a segmentation has all customers of its source system, excluded ones too, and no
-- others
with

customer_clusters as (

    select * from {{ ref('customer_clusters') }}

),

customers as (

    select * from {{ ref('customers') }}

),

segmentations as (

    select distinct
        segmentation,
        source_system

    from customer_clusters

),

expected as (

    select
        customers.customer_key,
        segmentations.segmentation

    from customers
    inner join segmentations on customers.source_system = segmentations.source_system

)

select
    expected.segmentation,
    expected.customer_key,
    customer_clusters.segmentation as assigned_segmentation,
    customer_clusters.customer_key as assigned_customer_key

from expected
full join customer_clusters
    on
        expected.segmentation = customer_clusters.segmentation
        and expected.customer_key = customer_clusters.customer_key
where expected.customer_key is null or customer_clusters.customer_key is null
