"""The prototypes of every fit, as rows."""

from customer_segmentation.segmentation import expand_prototypes


def model(dbt, session):
    """Expand the models that the fits hold."""
    fits = dbt.ref("int_segmentation__fits")
    return expand_prototypes(fits)
