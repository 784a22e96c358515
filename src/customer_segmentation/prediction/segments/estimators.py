"""The six classifiers of scikit-learn, with the settings that they are tried with."""

from collections.abc import Callable
from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

__all__ = ["ESTIMATORS"]

NEIGHBOURS = 30


def _svc(customers: int, seed: int) -> Any:
    return SVC(C=1, gamma="scale", decision_function_shape="ovr")


def _logistic_regression(customers: int, seed: int) -> Any:
    return LogisticRegression(C=0.1, max_iter=1_000)


def _k_nearest_neighbours(customers: int, seed: int) -> Any:
    # a tree of neighbours would count its queries, and so change as it predicts
    return KNeighborsClassifier(
        min(NEIGHBOURS, customers), weights="distance", algorithm="brute"
    )


def _decision_tree(customers: int, seed: int) -> Any:
    return DecisionTreeClassifier(max_depth=5, min_samples_leaf=20, random_state=seed)


def _random_forest(customers: int, seed: int) -> Any:
    return RandomForestClassifier(
        100, min_samples_leaf=3, max_features="sqrt", random_state=seed
    )


def _gradient_boosting(customers: int, seed: int) -> Any:
    return HistGradientBoostingClassifier(
        max_iter=60,
        learning_rate=0.06,
        max_leaf_nodes=8,
        min_samples_leaf=10,
        l2_regularization=3,
        early_stopping=False,
        random_state=seed,
    )


# of how many customers there are to learn from, and a seed
ESTIMATORS: dict[str, Callable[[int, int], Any]] = {
    "svc": _svc,
    "logistic_regression": _logistic_regression,
    "k_nearest_neighbours": _k_nearest_neighbours,
    "decision_tree": _decision_tree,
    "random_forest": _random_forest,
    "gradient_boosting": _gradient_boosting,
}
