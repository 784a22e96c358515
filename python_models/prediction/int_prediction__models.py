"""The registry: the chosen models, trained, beside all earlier ones."""

from customer_segmentation.prediction import LearnedFrom, train_models


def model(dbt, session):
    """Train what was chosen, unless it has been trained on just this before."""
    existing = dbt.ref("customer_snapshots")
    new = dbt.ref("first_purchase_features")
    outcomes = dbt.ref("int_prediction__outcomes")
    targets = dbt.ref("int_prediction__segment_targets")
    splits = dbt.ref("int_prediction__splits")
    seasons = dbt.ref("int_prediction__seasons")
    evaluations = dbt.ref("int_prediction__evaluations")
    choices = dbt.ref("int_prediction__choices")
    variables = dbt.config.meta_get("variables")
    # the session of every engine speaks this
    earlier = session.sql(f"select * from {dbt.this}") if dbt.is_incremental else None
    learned_from = LearnedFrom(existing, new, outcomes, targets, splits, seasons)
    return train_models(learned_from, evaluations, choices, earlier, variables)
