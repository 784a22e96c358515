"""The table of what classifiers predicted of new customers they did not learn from."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.prediction.backtests import (
    SPLIT_COLUMNS,
    Job,
    run_jobs,
    seen_by,
    to_table,
)
from customer_segmentation.prediction.rules import PredictionRules
from customer_segmentation.prediction.samples import NEW, READ_ROWS, Sample, Seen
from customer_segmentation.prediction.segments import MAJORITY, fit_classifiers
from customer_segmentation.prediction.split_tables import read_rules, read_splits
from customer_segmentation.prediction.splits import Days, Split

__all__ = [
    "SEGMENT_BACKTESTS",
    "backtest_segments",
    "read_targets",
    "seen_with_segment",
]

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
# support vectors take the square of them
SEGMENT_ROWS = 10_000
# the split, the segmentation, and the seed of draws
Key = tuple[Split, str, int]


def backtest_segments(
    new: engine.Relation,
    targets: engine.Relation,
    splits: engine.Relation,
    variables: Mapping[str, Any],
) -> pa.Table:
    """Predict, by every classifier, the segments of customers it did not learn from.

    Parameters
    ----------
    new : engine.Relation
        ``first_purchase_features``.
    targets : engine.Relation
        ``int_prediction__segment_targets``.
    splits : engine.Relation
        ``int_prediction__splits``.
    variables : mapping
        The vars ``prediction`` and ``segmentations``.

    Returns
    -------
    pyarrow.Table
        Of the schema ``SEGMENT_BACKTESTS``: a row for each split, classifier, seed and
        customer predicted.
    """
    rules = read_rules(variables)
    jobs = list(_jobs(new, targets, splits, rules))
    tables = [
        to_table(
            rows,
            split,
            SEGMENT_BACKTESTS,
            task=f"segment:{segmentation}",
            segmentation=segmentation,
            seed=seed,
        )
        for (split, segmentation, seed), rows in run_jobs(jobs, _predict)
    ]
    return pa.concat_tables([SEGMENT_BACKTESTS.empty_table(), *tables])


def read_targets(
    targets: engine.Relation, source_system: str, segmentation: str
) -> pd.DataFrame:
    """Return each customer's segment some time after the first purchase."""
    return engine.read(
        targets,
        ["customer_key", "segment", "has_returned"],
        where={"source_system": source_system, "segmentation": segmentation},
        limit=READ_ROWS,
    )


def seen_with_segment(sample: Sample) -> partial[Seen]:
    """Return what finds the customers seen on days whose segment is known."""
    return partial(_see, sample)


def _see(sample: Sample, days: Days) -> Seen:
    return sample.joined(days, sample.outcomes, SEGMENT_ROWS)


def _jobs(
    new: engine.Relation,
    targets: engine.Relation,
    splits: engine.Relation,
    rules: PredictionRules,
) -> Iterator[tuple[Key, Job]]:
    for split in read_splits(splits, "segment"):
        if split.part not in ("selection", "test"):
            continue
        for segmentation in rules.segment_targets:
            known = read_targets(targets, split.source_system, segmentation)
            if known.empty:
                continue
            sample = Sample.read(new, NEW, split.source_system, known)
            see = seen_with_segment(sample)
            # the choice is made by one seed, the test says what others would have given
            for seed in range(rules.seeds if split.part == "test" else 1):
                for job in seen_by(split, see, rules.folds, seed):
                    yield (split, segmentation, seed), job


def _predict(key: Key, learned: Seen, predicted: Seen) -> pd.DataFrame:
    """Return predictions of one classifier after the other, beside the customers."""
    _, _, seed = key
    index = learned.keys["customer_key"]
    classifiers = fit_classifiers(
        learned.features.set_index(index),
        learned.outcomes["segment"].set_axis(index),
        seed=seed,
    )
    actual = predicted.outcomes["segment"].to_numpy(dtype=object)
    tables = []
    for name, classifier in classifiers.items():
        found = classifier.predict_proba(predicted.features)
        probabilities = found.to_numpy()
        likeliest = probabilities.argmax(axis=1)
        rows = np.arange(len(found))
        # a segment that nobody had who was learned from has no probability
        position = found.columns.get_indexer(actual)
        of_actual = np.where(position < 0, 0.0, probabilities[rows, position])
        table = pd.DataFrame(
            {
                "algorithm": name,
                "is_baseline": name == MAJORITY,
                "predicted_segment": found.columns.to_numpy()[likeliest],
                "predicted_probability": probabilities[rows, likeliest],
                "segment_probability": of_actual,
            }
        )
        tables.append(pd.concat([predicted.keys, predicted.outcomes, table], axis=1))
    return pd.concat(tables, ignore_index=True)
