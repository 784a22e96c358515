"""The registry: the chosen candidates, trained; earlier models are kept."""

from customer_segmentation.prediction import (
    PredictionSettings,
    TrainingData,
    train_models,
)


def model(dbt, session):
    """Train the chosen candidates, unless the same model has been trained before."""
    customer_days = dbt.ref("int_features__customer_days")
    first_purchases = dbt.ref("int_features__first_purchases")
    outcomes = dbt.ref("int_prediction__outcomes")
    seasons = dbt.ref("int_prediction__seasons")
    rfm_segments = dbt.ref("int_rfm__segments")
    fits = dbt.ref("int_segmentation__fits")
    splits = dbt.ref("int_features__splits")
    category_histories = dbt.ref("int_prediction__category_histories")
    category_outcomes = dbt.ref("int_prediction__category_outcomes")
    category_seasons = dbt.ref("int_prediction__category_seasons")
    evaluations = dbt.ref("int_prediction__evaluations")
    choices = dbt.ref("int_prediction__choices")
    variables = dbt.config.meta_get("variables")
    # the sessions of both engines have this method
    earlier = session.sql(f"select * from {dbt.this}") if dbt.is_incremental else None
    data = TrainingData.read(
        customer_days,
        first_purchases,
        outcomes=outcomes,
        seasons=seasons,
        rfm_segments=rfm_segments,
        fits=fits,
        splits=splits,
        settings=PredictionSettings.read(variables),
        category_histories=category_histories,
        category_outcomes=category_outcomes,
        category_seasons=category_seasons,
    )
    return train_models(data, evaluations, choices, earlier)
