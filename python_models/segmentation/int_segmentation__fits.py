"""The chosen candidates, fitted to all customers; earlier fits are kept."""

from customer_segmentation.segmentation import fit_segmentations


def model(dbt, session):
    """Fit the choices; segments that continue those of the last fit keep their ids."""
    features = dbt.ref("int_features__customer_days")
    choices = dbt.ref("cluster_choices")
    variables = dbt.config.meta_get("variables")
    # the sessions of both engines have this method
    earlier = session.sql(f"select * from {dbt.this}") if dbt.is_incremental else None
    return fit_segmentations(features, choices, variables, earlier)
