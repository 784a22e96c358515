"""Back-tests: what every candidate predicts for customers it did not learn from."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from joblib import delayed

from customer_segmentation.errors import InputError
from customer_segmentation.parallel import run_parallel, single_threaded
from customer_segmentation.prediction.classification import most_probable
from customer_segmentation.prediction.cohort_pairs import CohortPair
from customer_segmentation.prediction.cohorts import Cohort
from customer_segmentation.prediction.data import PurchaseData, SegmentData
from customer_segmentation.prediction.interest_data import InterestData
from customer_segmentation.prediction.interests import (
    INTEREST_CANDIDATES,
    bought_of,
)
from customer_segmentation.prediction.purchases import (
    CANDIDATES,
    InSeason,
    candidates_of,
)
from customer_segmentation.prediction.segments import MAJORITY, fit_classifiers
from customer_segmentation.prediction.settings import PredictionSettings
from customer_segmentation.prediction.splits import SPLIT_COLUMNS, Split, split_facts

__all__ = [
    "INTEREST_BACKTESTS",
    "PURCHASE_BACKTESTS",
    "SEGMENT_BACKTESTS",
    "backtest_interests",
    "backtest_purchases",
    "backtest_segments",
    "predict_interests",
    "predict_purchases",
]

PURCHASE_BACKTESTS = pa.schema(
    [
        *SPLIT_COLUMNS,
        ("algorithm", pa.string()),
        ("is_baseline", pa.bool_()),
        ("customer_key", pa.string()),
        ("as_of_date", pa.date32()),
        ("has_returned", pa.bool_()),
        ("purchases", pa.int64()),
        ("spend", pa.float64()),
        ("return_probability", pa.float64()),
        ("expected_purchases", pa.float64()),
        ("expected_spend", pa.float64()),
        ("spend_low", pa.float64()),
        ("spend_median", pa.float64()),
        ("spend_high", pa.float64()),
    ]
)
SEGMENT_BACKTESTS = pa.schema(
    [
        *SPLIT_COLUMNS,
        ("algorithm", pa.string()),
        ("is_baseline", pa.bool_()),
        ("segmentation", pa.string()),
        ("seed", pa.int32()),
        ("customer_key", pa.string()),
        ("has_returned", pa.bool_()),
        ("segment", pa.string()),
        ("predicted_segment", pa.string()),
        ("predicted_probability", pa.float64()),
        ("segment_probability", pa.float64()),
    ]
)

# categories that are flagged as interests
TOP = 3
INTEREST_BACKTESTS = pa.schema(
    [
        *SPLIT_COLUMNS,
        ("algorithm", pa.string()),
        ("is_baseline", pa.bool_()),
        ("customer_key", pa.string()),
        ("as_of_date", pa.date32()),
        ("category_id", pa.int32()),
        ("category_rank", pa.int32()),
        ("category_probability", pa.float64()),
        ("has_bought_top", pa.bool_()),
        ("top_probability", pa.float64()),
        ("top_three_probability", pa.float64()),
    ]
)

PurchaseTask = tuple[Split, str, CohortPair]
SegmentTask = tuple[Split, str, int, CohortPair]


def backtest_purchases(data: PurchaseData, settings: PredictionSettings) -> pa.Table:
    """Predict purchases with every candidate, for customers it did not learn from.

    A candidate that cannot learn from the customers of some fold is excluded from the
    split with a warning: it would be judged on fewer customers than the others.

    Parameters
    ----------
    data : PurchaseData
        Customers, outcomes and splits.
    settings : PredictionSettings
        The number of folds.

    Returns
    -------
    pyarrow.Table
        Of the schema ``PURCHASE_BACKTESTS``: one row per split, candidate and predicted
        customer.
    """
    tasks = list(_purchase_tasks(data, settings))
    predicted = run_parallel(
        delayed(predict_purchases)(algorithm, *pair, split.horizon_days)
        for split, algorithm, pair in tasks
    )
    tables = [PURCHASE_BACKTESTS.empty_table()]
    failures: dict[tuple[Split, str], str] = {}
    for (split, algorithm, _), found in zip(tasks, predicted, strict=True):
        if isinstance(found, InputError):
            failures[split, algorithm] = str(found)
    for (split, algorithm), problem in failures.items():
        warnings.warn(
            f"{split.source_system}, {split.population} customers, {split.name} of "
            f"{split.horizon_days} days: {algorithm} is not tested: {problem}",
            stacklevel=1,
        )
    for (split, algorithm, _), found in zip(tasks, predicted, strict=True):
        if (split, algorithm) not in failures:
            tables.append(
                _to_table(
                    found,
                    PURCHASE_BACKTESTS,
                    split,
                    algorithm=algorithm,
                    is_baseline=CANDIDATES[algorithm].is_baseline,
                )
            )
    return pa.concat_tables(tables)


def backtest_segments(data: SegmentData, settings: PredictionSettings) -> pa.Table:
    """Predict segments with every classifier, for customers it did not learn from.

    Parameters
    ----------
    data : SegmentData
        New customers, their segments and splits.
    settings : PredictionSettings
        The number of folds and of seeds.

    Returns
    -------
    pyarrow.Table
        Of the schema ``SEGMENT_BACKTESTS``: one row per split, segmentation,
        classifier, seed and predicted customer.
    """
    tasks = list(_segment_tasks(data, settings))
    predicted = run_parallel(
        delayed(predict_segments)(*pair, seed) for *_, seed, pair in tasks
    )
    tables = [
        _to_table(
            found,
            SEGMENT_BACKTESTS,
            split,
            task=f"segment:{segmentation}",
            segmentation=segmentation,
            seed=seed,
        )
        for (split, segmentation, seed, _), found in zip(tasks, predicted, strict=True)
    ]
    return pa.concat_tables([SEGMENT_BACKTESTS.empty_table(), *tables])


def backtest_interests(data: InterestData, settings: PredictionSettings) -> pa.Table:
    """Predict interests with every candidate, for customers it did not learn from.

    Parameters
    ----------
    data : InterestData
        Customers, outcomes and splits.
    settings : PredictionSettings
        The number of folds.

    Returns
    -------
    pyarrow.Table
        Of the schema ``INTEREST_BACKTESTS``: one row per split, candidate and predicted
        customer.
    """
    tasks = [
        (split, algorithm, pair)
        for split in data.splits
        if split.is_backtest
        for pair in data.pairs(split, settings.folds)
        for algorithm in INTEREST_CANDIDATES
    ]
    predicted = run_parallel(
        delayed(predict_interests)(algorithm, *pair) for _, algorithm, pair in tasks
    )
    tables = [
        _to_table(
            found,
            INTEREST_BACKTESTS,
            split,
            algorithm=algorithm,
            is_baseline=INTEREST_CANDIDATES[algorithm].is_baseline,
        )
        for (split, algorithm, _), found in zip(tasks, predicted, strict=True)
    ]
    return pa.concat_tables([INTEREST_BACKTESTS.empty_table(), *tables])


@single_threaded()
def predict_interests(algorithm: str, train: Cohort, test: Cohort) -> pd.DataFrame:
    """Fit a candidate to a cohort, and rank the categories of another one.

    Returns
    -------
    pandas.DataFrame
        Keys of the customers in ``test``; the rank and the probability of the category
        that they bought most of; whether they bought any of the three most probable
        categories; and the probabilities of the first one, and of these three.
    """
    model = INTEREST_CANDIDATES[algorithm].estimator()
    model.fit(train.features, train.outcomes, train.season)
    found = model.predict(test.features, test.season)
    categories, probabilities = found.columns.to_numpy(), found.to_numpy()
    order = np.argsort(-probabilities, axis=1, kind="stable")
    actual = test.outcomes["category_id"].to_numpy(dtype=np.int64)
    is_actual = categories[order] == actual[:, np.newaxis]
    is_known = is_actual.any(axis=1)
    sorted_probabilities = np.take_along_axis(probabilities, order, axis=1)
    # a category that nobody bought before has the last rank and no probability
    rank = np.where(is_known, is_actual.argmax(axis=1) + 1, len(categories) + 1)
    bought = bought_of(test.outcomes["bought_categories"], categories)
    top = order[:, :TOP]
    return test.keys.assign(
        category_id=actual,
        category_rank=rank,
        category_probability=np.sum(sorted_probabilities * is_actual, axis=1),
        has_bought_top=np.take_along_axis(bought, top, axis=1).any(axis=1),
        top_probability=sorted_probabilities[:, 0],
        top_three_probability=sorted_probabilities[:, :TOP].sum(axis=1),
    )


@single_threaded()
def predict_purchases(
    algorithm: str, train: Cohort, test: Cohort, horizon_days: int
) -> pd.DataFrame | InputError:
    """Fit a candidate to a cohort, and predict another one.

    Parameters
    ----------
    algorithm : str
        Name of the candidate.
    train, test : Cohort
        The customers to learn from, and those to predict.
    horizon_days : int
        Length of the outcome.

    Returns
    -------
    pandas.DataFrame or InputError
        Keys, outcomes and predictions of the customers in ``test``; or the reason why
        the candidate cannot learn from those in ``train``.
    """
    model = InSeason(CANDIDATES[algorithm].estimator(), train.season)
    try:
        model.fit(train.features, train.outcomes, horizon_days)
    except InputError as error:
        return error
    found = model.predict(test.features, test.season)
    return pd.concat([test.keys, test.outcomes, found], axis=1)


@single_threaded()
def predict_segments(train: Cohort, test: Cohort, seed: int) -> pd.DataFrame:
    """Fit all classifiers to a cohort, and predict another one.

    Returns
    -------
    pandas.DataFrame
        Keys, outcomes and predictions of the customers in ``test``, a block of rows per
        classifier.
    """
    index = train.keys["customer_key"]
    classifiers = fit_classifiers(
        train.features.set_index(index),
        train.outcomes["segment"].set_axis(index),
        seed=seed,
    )
    actual = test.outcomes["segment"].to_numpy(dtype=object)
    rows = np.arange(test.count)
    blocks = []
    for name, classifier in classifiers.items():
        found = classifier.predict_proba(test.features)
        # a segment that no customer in train has gets no probability
        position = found.columns.get_indexer(actual)
        of_actual = np.where(position < 0, 0.0, found.to_numpy()[rows, position])
        predictions = most_probable(found).add_prefix("predicted_")
        predictions = predictions.assign(
            algorithm=name, is_baseline=name == MAJORITY, segment_probability=of_actual
        )
        blocks.append(pd.concat([test.keys, test.outcomes, predictions], axis=1))
    return pd.concat(blocks, ignore_index=True)


def _purchase_tasks(
    data: PurchaseData, settings: PredictionSettings
) -> Iterator[PurchaseTask]:
    for split in data.splits:
        if split.is_backtest:
            for pair in data.pairs(split, settings.folds):
                for candidate in candidates_of(split.population):
                    yield split, candidate.name, pair


def _segment_tasks(
    data: SegmentData, settings: PredictionSettings
) -> Iterator[SegmentTask]:
    for split in data.splits:
        if split.is_backtest:
            # one seed decides the choice; the test shows what others would have given
            seeds = range(settings.seeds if split.name == "test" else 1)
            for segmentation in data.segmentations(split.source_system):
                for seed in seeds:
                    for pair in data.pairs(split, segmentation, settings.folds, seed):
                        yield split, segmentation, seed, pair


def _to_table(
    rows: pd.DataFrame, schema: pa.Schema, split: Split, **facts: Any
) -> pa.Table:
    """Return rows of a schema with the facts of their split, and further facts."""
    frame = rows.assign(**{**split_facts(split), **facts})
    return pa.Table.from_pandas(frame[schema.names], schema, preserve_index=False)
