"""The prototypes of every fit, as rows."""

from customer_segmentation.segmentation import expand_prototypes


def model(dbt, session):
    """Expand the models of new fits."""
    fits = dbt.ref("int_segmentation__fits")
    query = f"select distinct fit_id from {dbt.this}"
    earlier = session.sql(query) if dbt.is_incremental else None
    return expand_prototypes(fits, earlier)
