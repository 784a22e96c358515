"""How far the customers scored today are from those the champions learned from."""

from customer_segmentation.prediction import measure_drift


def model(dbt, session):
    """Compare features and predictions."""
    existing = dbt.ref("customer_snapshots")
    new = dbt.ref("first_purchase_features")
    existing_scores = dbt.ref("int_prediction__existing_scores")
    new_scores = dbt.ref("int_prediction__new_scores")
    segment_scores = dbt.ref("int_prediction__segment_scores")
    champions = dbt.ref("int_prediction__champions")
    models = dbt.ref("int_prediction__models")
    customers = {"existing": existing, "new": new}
    scores = {
        "existing": existing_scores,
        "new": new_scores,
        "segment": segment_scores,
    }
    return measure_drift(customers, scores, champions, models)
