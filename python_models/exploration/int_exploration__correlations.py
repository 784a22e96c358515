"""The rank correlation of each pair of features, by source system."""

from customer_segmentation.exploration import correlate_features


def model(dbt, session):
    """Correlate the features of today's customers."""
    features = dbt.ref("int_exploration__customer_features")
    source_systems = dbt.config.meta_get("source_systems")
    return correlate_features(features, source_systems)
