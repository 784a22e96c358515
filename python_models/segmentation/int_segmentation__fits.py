"""The chosen candidates, fitted on all customers, beside all earlier fits."""

from customer_segmentation.segmentation import fit_segmentations


def model(dbt, session):
    """Fit what was chosen, and match it with the last fit so that ids keep meaning."""
    features = dbt.ref("customer_features")
    choices = dbt.ref("cluster_choices")
    variables = dbt.config.meta_get("variables")
    # the session of every engine speaks this
    earlier = session.sql(f"select * from {dbt.this}") if dbt.is_incremental else None
    return fit_segmentations(features, choices, variables, earlier)
