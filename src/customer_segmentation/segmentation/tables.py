"""The edge: relations of the engine become frames, and results become Arrow tables."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.errors import InputError
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.declare import Segmentation
from customer_segmentation.segmentation.encoders import require_column
from customer_segmentation.segmentation.explain import RuleSet
from customer_segmentation.segmentation.fits import FittedSegmentation, columns_needed
from customer_segmentation.segmentation.judge import JudgedCandidate
from customer_segmentation.segmentation.space import DesignMatrix
from customer_segmentation.stored import SEGMENTATION_FITS, sealed

# more customers are fitted by a sample of this size
FITTED_CUSTOMERS = 1_000_000
# the rows of int_features__customer_days that are segmented
TODAY = {"is_today": True}

TEXT, DATE, FLAG = pa.string(), pa.date32(), pa.bool_()
NUMBER, COUNT, MEASURE = pa.int32(), pa.int64(), pa.float64()


def _columns(kind: pa.DataType, *names: str) -> list[tuple[str, pa.DataType]]:
    return [(name, kind) for name in names]


CANDIDATES = pa.schema(
    [
        *_columns(TEXT, "segmentation", "source_system", "algorithm", "setting"),
        *_columns(NUMBER, "subsample", "n_clusters"),
        *_columns(FLAG, "is_pinned", "is_elbow"),
        *_columns(COUNT, "customers", "excluded_customers"),
        *_columns(MEASURE, "inertia", "silhouette", "davies_bouldin"),
        *_columns(MEASURE, "calinski_harabasz", "stability_mean", "stability_min"),
        *_columns(MEASURE, "smallest_share", "noise_share", "minimum_share"),
        *_columns(MEASURE, "structure_p_value", "correlation_p_value"),
        *_columns(MEASURE, "gap_p_value", "border_density", "structure_excess"),
    ]
)
FITS = pa.schema(
    [
        *_columns(TEXT, "fit_id", "segmentation", "source_system"),
        *_columns(NUMBER, "fit_number"),
        *_columns(DATE, "as_of_date"),
        *_columns(COUNT, "customers", "excluded_customers"),
        *_columns(TEXT, "fingerprint", "algorithm", "setting"),
        *_columns(NUMBER, "n_clusters", "max_segment_id"),
        *_columns(MEASURE, "reduction_ari"),
        *_columns(TEXT, "model"),
    ]
)
PROTOTYPES = pa.schema(
    [
        *_columns(TEXT, "fit_id", "segmentation"),
        *_columns(NUMBER, "fit_number"),
        *_columns(DATE, "as_of_date"),
        *_columns(COUNT, "customers"),
        *_columns(TEXT, "algorithm", "setting"),
        *_columns(NUMBER, "prototype_number", "segment_id"),
        *_columns(MEASURE, "weight", "reach"),
        *_columns(TEXT, "feature"),
        *_columns(MEASURE, "position", "value"),
    ]
)
ASSIGNMENTS = pa.schema(
    [
        *_columns(TEXT, "customer_key", "source_system", "segmentation", "fit_id"),
        *_columns(NUMBER, "segment_id"),
        *_columns(MEASURE, "distance", "centrality", "confidence", "pca_x", "pca_y"),
    ]
)
RULES = pa.schema(
    [
        *_columns(TEXT, "segmentation"),
        *_columns(NUMBER, "segment_id", "rule_number"),
        *_columns(TEXT, "rule"),
        *_columns(COUNT, "customers"),
        *_columns(MEASURE, "precision", "coverage", "fidelity"),
    ]
)


@dataclass(frozen=True)
class FitRecord:
    """A row of ``FITS`` without its model, which may be large."""

    fit_id: str
    segmentation: str
    source_system: str
    fit_number: int
    as_of_date: date | None
    customers: int
    excluded_customers: int
    fingerprint: str
    algorithm: str
    setting: str
    n_clusters: int
    max_segment_id: int
    reduction_ari: float | None


# -- reading


def check_features(segmentation: Segmentation, features: engine.Relation) -> None:
    """Raise an `InputError` if a feature of a segmentation does not exist."""
    columns = tuple(features.columns)
    for feature in segmentation.features:
        require_column(segmentation.name, feature.name, columns)
    if segmentation.value_feature is not None:
        key = "value_feature"
        require_column(segmentation.name, segmentation.value_feature, columns, key)


def read_customers(
    features: engine.Relation, segmentation: Segmentation
) -> pd.DataFrame:
    """Read the customers of a segmentation, sorted by key; of very many, a sample.

    Parameters
    ----------
    features : engine.Relation
        ``int_features__customer_days``.
    segmentation : Segmentation
        The declaration.

    Returns
    -------
    pandas.DataFrame
        Key, as-of date and the columns that a fit needs; the rows of today.

    Raises
    ------
    InputError
        If a feature does not exist, or the value feature is not a number.
    """
    check_features(segmentation, features)
    frame = engine.read(
        features,
        [
            *("customer_key", "as_of_date"),
            *columns_needed(segmentation, features.columns),
        ],
        where={"source_system": segmentation.source_system, **TODAY},
        limit=FITTED_CUSTOMERS,
    )
    value = segmentation.value_feature
    if value is not None and not pd.api.types.is_numeric_dtype(frame[value]):
        raise InputError(
            f"segmentation {segmentation.name}: value_feature: {value!r} is not a "
            "number; give a numeric feature, which numbers the segments"
        )
    return frame


def read_assigned_customers(
    features: engine.Relation, assignments: engine.Relation, segmentation: Segmentation
) -> pd.DataFrame:
    """Read the customers of a segmentation that have a segment, with ``segment_id``."""
    assigned = engine.read(
        assignments,
        ["customer_key", "segment_id"],
        where={"segmentation": segmentation.name},
        limit=FITTED_CUSTOMERS,
    ).dropna()
    return read_customers(features, segmentation).merge(assigned, on="customer_key")


def read_choices(choices: engine.Relation) -> dict[str, tuple[str, str]]:
    """Read the chosen algorithm and setting of each segmentation."""
    columns = ["segmentation", "algorithm", "setting"]
    chosen = engine.read(choices, columns, order_by="segmentation")
    return {
        segmentation: (algorithm, setting)
        for segmentation, algorithm, setting in chosen.itertuples(index=False)
    }


def read_fits(fits: engine.Relation) -> list[FitRecord]:
    """Read all fits, sorted by id."""
    columns = list(FitRecord.__dataclass_fields__)
    frame = engine.read(fits, columns, order_by="fit_id")
    SEGMENTATION_FITS.check(frame)
    return [FitRecord(**row) for row in frame.to_dict("records")]


def read_last_fits(fits: engine.Relation | None) -> dict[str, FitRecord]:
    """Read the last fit of each segmentation, sorted by name."""
    records = [] if fits is None else read_fits(fits)
    records.sort(key=lambda record: (record.segmentation, record.fit_number))
    return {record.segmentation: record for record in records}


def read_model(fits: engine.Relation, fit_id: str) -> FittedSegmentation:
    """Read the model of one fit."""
    return SEGMENTATION_FITS.open_fit(fits, fit_id, FittedSegmentation.from_json)


# -- writing


def candidate_table(
    segmentation: Segmentation, design: DesignMatrix, judged: Iterable[JudgedCandidate]
) -> pa.Table:
    """Return the candidates of a segmentation by the schema ``CANDIDATES``.

    Its subsamples, which have a number, follow each candidate. They differ from it in
    what they measure.
    """
    pin = segmentation.pin
    pinned = pin and Candidate(pin.algorithm, "k", pin.k)
    rows: list[dict[str, Any]] = []
    for one in judged:
        named = {
            "segmentation": segmentation.name,
            "source_system": segmentation.source_system,
            "algorithm": one.candidate.algorithm,
            "setting": one.candidate.setting,
            "is_pinned": one.candidate == pinned,
            "customers": design.customers,
            "excluded_customers": design.excluded_customers,
            "minimum_share": segmentation.minimum_share,
        }
        whole = {**named, **vars(one.indices), **_values_of(one, CANDIDATES)}
        rows.append(whole)
        for number, measures in enumerate(one.subsamples, start=1):
            rows.append({**whole, "subsample": number, **vars(measures)})
    return pa.Table.from_pylist(
        [{name: _null_if_nan(value) for name, value in row.items()} for row in rows],
        CANDIDATES,
    )


def fit_table(fits: Iterable[tuple[FitRecord, FittedSegmentation]]) -> pa.Table:
    """Return new fits by the schema ``FITS``."""
    rows = [
        {**asdict(record), "model": sealed(fitted.to_json(), record.fit_id)}
        for record, fitted in fits
    ]
    return pa.Table.from_pylist(rows, FITS)


def prototype_table(record: FitRecord, fitted: FittedSegmentation) -> pa.Table:
    """Return the prototypes of a fit by the schema ``PROTOTYPES``."""
    positions, values = fitted.in_own_units()
    count, columns = positions.shape
    of_prototypes = {
        "prototype_number": np.arange(1, count + 1),
        "segment_id": fitted.prototypes.segments,
        "weight": fitted.prototypes.weights,
    }
    frame = pd.DataFrame(
        {
            **{name: np.repeat(one, columns) for name, one in of_prototypes.items()},
            "feature": list(fitted.design.columns) * count,
            "position": positions.ravel(),
            "value": values.ravel(),
        }
    ).assign(
        reach=fitted.prototypes.reach,
        **_values_of(record, PROTOTYPES),
    )
    return pa.Table.from_pandas(frame[PROTOTYPES.names], PROTOTYPES)


def assignment_table(
    frame: pd.DataFrame, record: FitRecord, fitted: FittedSegmentation
) -> pa.Table:
    """Assign the customers of a source system, by the schema ``ASSIGNMENTS``.

    Parameters
    ----------
    frame : pandas.DataFrame of n rows
        Customers with ``customer_key`` and the features of the fit.
    record, fitted : FitRecord, FittedSegmentation
        The fit.

    Returns
    -------
    pyarrow.Table of n rows
        Null measures for excluded customers, and a null confidence by a fit without
        refits.
    """
    assignment, confidence, drawn, is_kept = fitted.assign(frame)
    columns: dict[str, Any] = {"customer_key": frame["customer_key"].to_numpy()}
    for name in ("source_system", "segmentation", "fit_id"):
        columns[name] = np.full(len(frame), getattr(record, name))
    measures = {
        "segment_id": assignment.segment,
        "distance": assignment.distance,
        "centrality": assignment.centrality,
        "confidence": confidence,
        "pca_x": drawn[:, 0],
        "pca_y": drawn[:, 1],
    }
    for name, of_kept in measures.items():
        column = np.zeros(len(frame), of_kept.dtype)
        column[is_kept] = of_kept
        is_null = ~is_kept | np.isnan(column)
        columns[name] = pa.array(
            column, ASSIGNMENTS.field(name).type, mask=is_null, safe=False
        )
    return pa.table(columns, ASSIGNMENTS)


def rule_table(segmentation: Segmentation, found: RuleSet) -> pa.Table:
    """Return the rules of a segmentation by the schema ``RULES``."""
    rows = [
        {
            "segmentation": segmentation.name,
            "rule_number": number,
            "rule": rule.text,
            "fidelity": found.fidelity,
            **_values_of(rule, RULES),
        }
        for number, rule in enumerate(found.rules, start=1)
    ]
    return pa.Table.from_pylist(rows, RULES)


def _values_of(record: object, schema: pa.Schema) -> dict[str, Any]:
    """Return the attributes that have a column of the same name."""
    return {name: one for name, one in vars(record).items() if name in schema.names}


def _null_if_nan(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value
