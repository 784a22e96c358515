"""The tables of the dbt Python models in ``python_models/segmentation``."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.errors import InputError
from customer_segmentation.segmentation.algorithms import Candidate, candidates_of
from customer_segmentation.segmentation.declared import Declared
from customer_segmentation.segmentation.design_matrix import DesignMatrix
from customer_segmentation.segmentation.fits import (
    FittedSegmentation,
    columns_needed,
    fingerprint,
    fit_segmentation,
)
from customer_segmentation.segmentation.rules import shallow_rules
from customer_segmentation.segmentation.search import Measured, search
from customer_segmentation.segmentation.space import Space
from customer_segmentation.segmentation.specs import Segmentation, check_features

# more customers than these are fitted by a sample of as many
FITTED_CUSTOMERS = 1_000_000

CANDIDATES = pa.schema(
    [
        ("segmentation", pa.string()),
        ("source_system", pa.string()),
        ("algorithm", pa.string()),
        ("setting", pa.string()),
        ("n_clusters", pa.int32()),
        ("is_pinned", pa.bool_()),
        ("is_elbow", pa.bool_()),
        ("customers", pa.int64()),
        ("left_out", pa.int64()),
        ("inertia", pa.float64()),
        ("silhouette", pa.float64()),
        ("davies_bouldin", pa.float64()),
        ("calinski_harabasz", pa.float64()),
        ("stability_mean", pa.float64()),
        ("stability_min", pa.float64()),
        ("smallest_share", pa.float64()),
        ("noise_share", pa.float64()),
        ("minimum_share", pa.float64()),
        ("structure_p_value", pa.float64()),
        ("correlation_p_value", pa.float64()),
        ("structure_excess", pa.float64()),
    ]
)
FITS = pa.schema(
    [
        ("fit_id", pa.string()),
        ("segmentation", pa.string()),
        ("source_system", pa.string()),
        ("fit_number", pa.int32()),
        ("as_of_date", pa.date32()),
        ("customers", pa.int64()),
        ("left_out", pa.int64()),
        ("fingerprint", pa.string()),
        ("algorithm", pa.string()),
        ("setting", pa.string()),
        ("n_clusters", pa.int32()),
        ("greatest_segment_id", pa.int32()),
        ("reduction_ari", pa.float64()),
        ("model", pa.string()),
    ]
)
# all but the model, which may be large
FIT_FACTS = [name for name in FITS.names if name != "model"]
PROTOTYPES = pa.schema(
    [
        ("fit_id", pa.string()),
        ("segmentation", pa.string()),
        ("fit_number", pa.int32()),
        ("as_of_date", pa.date32()),
        ("customers", pa.int64()),
        ("algorithm", pa.string()),
        ("setting", pa.string()),
        ("prototype_number", pa.int32()),
        ("segment_id", pa.int32()),
        ("weight", pa.float64()),
        ("reach", pa.float64()),
        ("feature", pa.string()),
        ("position", pa.float64()),
        ("value", pa.float64()),
    ]
)
ASSIGNMENTS = pa.schema(
    [
        ("customer_key", pa.string()),
        ("source_system", pa.string()),
        ("segmentation", pa.string()),
        ("fit_id", pa.string()),
        ("segment_id", pa.int32()),
        ("distance", pa.float64()),
        ("confidence", pa.float64()),
        ("pca_x", pa.float64()),
        ("pca_y", pa.float64()),
    ]
)
RULES = pa.schema(
    [
        ("segmentation", pa.string()),
        ("segment_id", pa.int32()),
        ("rule_number", pa.int32()),
        ("rule", pa.string()),
        ("customers", pa.int64()),
        ("precision", pa.float64()),
        ("coverage", pa.float64()),
        ("fidelity", pa.float64()),
    ]
)


def search_segmentations(
    features: engine.Relation, variables: Mapping[str, Any]
) -> pa.Table:
    """Search every declared segmentation.

    Parameters
    ----------
    features : engine.Relation
        ``customer_features``.
    variables : mapping
        The vars that ``Declared.read`` reads.

    Returns
    -------
    pyarrow.Table
        Of the schema ``CANDIDATES``: one row per segmentation, algorithm and setting;
        none for a segmentation without customers.

    Raises
    ------
    InputError
        If a segmentation is declared wrongly, or a feature cannot be used.
    """
    declared = Declared.read(variables)
    # before the first search, which takes its time
    for segmentation in declared.segmentations:
        check_features(segmentation, features.columns)
    rows = []
    for segmentation in declared.segmentations:
        frame = _read(features, segmentation)
        design = DesignMatrix.fit(frame, segmentation)
        if design.customers == 0:
            continue
        points, _ = design.transform(frame)
        space = Space.of(points, design.blocks, design.is_numeric, segmentation.pca)
        rows += [
            _candidate_row(segmentation, design, measured)
            for measured in search(segmentation, space, declared.effort)
        ]
    return pa.Table.from_pylist(rows, CANDIDATES)


def fit_segmentations(
    features: engine.Relation,
    choices: engine.Relation,
    variables: Mapping[str, Any],
    earlier: engine.Relation | None,
) -> pa.Table:
    """Fit what was chosen, unless the last fit was the same.

    Parameters
    ----------
    features : engine.Relation
        ``customer_features``.
    choices : engine.Relation
        ``cluster_choices``.
    variables : mapping
        The vars that ``Declared.read`` reads.
    earlier : engine.Relation or None
        The fits so far.

    Returns
    -------
    pyarrow.Table
        Of the schema ``FITS``: the new fits, one row per segmentation with a choice,
        unless the last fit was of the same customers, declaration and choice.
    """
    declared = Declared.read(variables)
    last_fits = {} if earlier is None else _last_fits(earlier)
    chosen = engine.read(
        choices, ["segmentation", "algorithm", "setting"], order_by="segmentation"
    ).set_index("segmentation")
    rows = []
    for segmentation in declared.segmentations:
        if segmentation.name not in chosen.index:
            continue
        candidate = _declared_candidate(segmentation, *chosen.loc[segmentation.name])
        frame = _read(features, segmentation)
        made_by = fingerprint(frame, segmentation, candidate)
        last = last_fits.get(segmentation.name)
        if last is None or last["fingerprint"] != made_by:
            if last is not None:
                last["model"] = _model(earlier, last["fit_id"])
            new = _fit_row(frame, segmentation, candidate, last)
            rows.append(new | {"fingerprint": made_by})
    return pa.Table.from_pylist(rows, FITS)


def expand_prototypes(
    fits: engine.Relation, earlier: engine.Relation | None
) -> pa.Table:
    """Return the prototypes of the new fits, a row for each of their features.

    Parameters
    ----------
    fits : engine.Relation
        ``int_segmentation__fits``.
    earlier : engine.Relation or None
        The column ``fit_id`` of the prototypes so far.

    Returns
    -------
    pyarrow.Table
        Of the schema ``PROTOTYPES``.
    """
    known = (
        set()
        if earlier is None
        else set(engine.read(earlier, ["fit_id"], order_by="fit_id")["fit_id"])
    )
    tables = [PROTOTYPES.empty_table()]
    for fit in engine.read(fits, FIT_FACTS, order_by="fit_id").to_dict("records"):
        if fit["fit_id"] in known:
            continue
        fitted = FittedSegmentation.from_json(_model(fits, fit["fit_id"]))
        positions, values = fitted.in_own_units()
        count, columns = positions.shape
        by_prototype = {
            "prototype_number": np.arange(1, count + 1),
            "segment_id": fitted.prototypes.segments,
            "weight": fitted.prototypes.weights,
        }
        expanded = {
            **{name: np.repeat(array, columns) for name, array in by_prototype.items()},
            "feature": list(fitted.design.columns) * count,
            "position": positions.ravel(),
            "value": values.ravel(),
        }
        shared = {name: fit[name] for name in PROTOTYPES.names if name in fit}
        shared["reach"] = fitted.prototypes.reach
        frame = pd.DataFrame(expanded).assign(**shared)
        tables.append(pa.Table.from_pandas(frame[PROTOTYPES.names], PROTOTYPES))
    return pa.concat_tables(tables)


@dataclass(frozen=True)
class _Scorer:
    """Assigns the customers of a batch; knows the last fit of every segmentation."""

    fits: tuple[tuple[dict[str, Any], FittedSegmentation], ...]

    def __call__(self, batch: pa.Table) -> pa.Table:
        frame = engine.to_frame(batch)
        return pa.concat_tables([ASSIGNMENTS.empty_table(), *self._assigned(frame)])

    def _assigned(self, frame: pd.DataFrame) -> Iterator[pa.Table]:
        for fit, fitted in self.fits:
            rows = frame[frame["source_system"] == fit["source_system"]]
            if rows.empty:
                continue
            assignment, drawn, is_kept = fitted.assign(rows)
            measures = {
                "segment_id": assignment.segment,
                "distance": assignment.distance,
                "confidence": assignment.confidence,
                "pca_x": drawn[:, 0],
                "pca_y": drawn[:, 1],
            }
            columns = {
                "customer_key": rows["customer_key"].to_numpy(),
                "source_system": np.full(len(rows), fit["source_system"]),
                "segmentation": np.full(len(rows), fit["segmentation"]),
                "fit_id": np.full(len(rows), fit["fit_id"]),
            }
            for name, kept in measures.items():
                column = np.zeros(len(rows), kept.dtype)
                column[is_kept] = kept
                columns[name] = pa.array(
                    column, ASSIGNMENTS.field(name).type, mask=~is_kept, safe=False
                )
            yield pa.table(columns, ASSIGNMENTS)


def assign_customers(
    features: engine.Relation, fits: engine.Relation, variables: Mapping[str, Any]
) -> engine.Stream:
    """Give every customer the segment of the nearest prototype, without a fit.

    Parameters
    ----------
    features : engine.Relation
        ``customer_features``.
    fits : engine.Relation
        ``int_segmentation__fits``; the last one of each segmentation counts.
    variables : mapping
        The vars that ``Declared.read`` reads.

    Returns
    -------
    engine.Stream
        Of the schema ``ASSIGNMENTS``: one row per customer and segmentation. The
        segment is 0 for an outlier and null for who was left out.
    """
    declared = Declared.read(variables)
    names = [segmentation.name for segmentation in declared.segmentations]
    scorers = tuple(
        (fit, FittedSegmentation.from_json(_model(fits, fit["fit_id"])))
        for name, fit in sorted(_last_fits(fits).items())
        if name in names
    )
    wanted = {
        feature.name for _, fitted in scorers for feature in fitted.design.features
    }
    return engine.map_batches(
        features,
        ["customer_key", "source_system", *sorted(wanted - {"source_system"})],
        _Scorer(scorers),
        ASSIGNMENTS,
    )


def explain_segments(
    features: engine.Relation,
    assignments: engine.Relation,
    variables: Mapping[str, Any],
) -> pa.Table:
    """Say in rules of at most three conditions who is in which segment.

    Parameters
    ----------
    features : engine.Relation
        ``customer_features``.
    assignments : engine.Relation
        ``int_segmentation__assignments``.
    variables : mapping
        The vars that ``Declared.read`` reads.

    Returns
    -------
    pyarrow.Table
        Of the schema ``RULES``: one row per segmentation and rule.
    """
    rows = []
    for segmentation in Declared.read(variables).segmentations:
        assigned = engine.read(
            assignments,
            ["customer_key", "segment_id"],
            where={"segmentation": segmentation.name},
            limit=FITTED_CUSTOMERS,
        ).dropna()
        customers = _read(features, segmentation).merge(assigned, on="customer_key")
        names = [feature.name for feature in segmentation.features]
        found = shallow_rules(
            customers[names], customers["segment_id"].to_numpy(dtype=np.int64)
        )
        rows += [
            {
                "segmentation": segmentation.name,
                "segment_id": rule.segment_id,
                "rule_number": number,
                "rule": rule.text,
                "customers": rule.customers,
                "precision": rule.precision,
                "coverage": rule.coverage,
                "fidelity": found.fidelity,
            }
            for number, rule in enumerate(found.rules, start=1)
        ]
    return pa.Table.from_pylist(rows, RULES)


def _read(features: engine.Relation, segmentation: Segmentation) -> pd.DataFrame:
    """Read the customers of a segmentation, sorted by key; past a number a sample."""
    check_features(segmentation, features.columns)
    frame = engine.read(
        features,
        [
            *("customer_key", "as_of_date"),
            *columns_needed(segmentation, features.columns),
        ],
        where={"source_system": segmentation.source_system},
        limit=FITTED_CUSTOMERS,
    )
    worth = segmentation.value_feature
    if worth is not None and not pd.api.types.is_numeric_dtype(frame[worth]):
        raise InputError(
            f"segmentation {segmentation.name}: value_feature: {worth!r} is no number; "
            "give a feature that is, to order the segments by"
        )
    return frame


def _declared_candidate(
    segmentation: Segmentation, algorithm: str, setting: str
) -> Candidate:
    for candidate in candidates_of(segmentation):
        if (candidate.algorithm, candidate.setting) == (algorithm, setting):
            return candidate
    raise InputError(
        f"segmentation {segmentation.name}: {algorithm} {setting}, which was chosen, "
        "is no longer declared; build cluster_choices first"
    )


def _candidate_row(
    segmentation: Segmentation, design: DesignMatrix, measured: Measured
) -> dict[str, Any]:
    candidate, pin = measured.candidate, segmentation.pin
    row = {
        "segmentation": segmentation.name,
        "source_system": segmentation.source_system,
        "algorithm": candidate.algorithm,
        "setting": candidate.setting,
        "n_clusters": measured.n_clusters,
        "is_pinned": pin is not None
        and candidate == Candidate(pin.algorithm, "k", pin.k),
        "is_elbow": measured.is_elbow,
        "customers": design.customers,
        "left_out": design.left_out,
        "minimum_share": segmentation.minimum_share,
        **vars(measured.indices),
        "stability_mean": measured.stability_mean,
        "stability_min": measured.stability_min,
        "smallest_share": measured.smallest_share,
        "noise_share": measured.noise_share,
        "structure_p_value": measured.structure_p_value,
        "correlation_p_value": measured.correlation_p_value,
        "structure_excess": measured.structure_excess,
    }
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in row.items()
    }


def _last_fits(fits: engine.Relation) -> dict[str, dict[str, Any]]:
    """Return the last fit of each segmentation, without its model."""
    facts = engine.read(fits, FIT_FACTS, order_by="fit_id").sort_values("fit_number")
    return {fit["segmentation"]: fit for fit in facts.to_dict("records")}


def _model(fits: engine.Relation, fit_id: str) -> str:
    """Read the model of one fit; there may be many, and large ones."""
    [model] = engine.read(fits, ["model"], where={"fit_id": fit_id}, order_by="fit_id")[
        "model"
    ]
    return model


def _fit_row(
    frame: pd.DataFrame,
    segmentation: Segmentation,
    candidate: Candidate,
    last: dict[str, Any] | None,
) -> dict[str, Any]:
    greatest = 0 if last is None else int(last["greatest_segment_id"])
    fitted, reduction_ari = fit_segmentation(
        frame,
        segmentation,
        candidate,
        None if last is None else FittedSegmentation.from_json(last["model"]),
        frozenset({greatest}),
    )
    number = 1 if last is None else int(last["fit_number"]) + 1
    as_of_date = frame["as_of_date"]
    return {
        "fit_id": f"{segmentation.name}:{number}",
        "segmentation": segmentation.name,
        "source_system": segmentation.source_system,
        "fit_number": number,
        "as_of_date": None if as_of_date.isna().all() else as_of_date.max(),
        "customers": fitted.design.customers,
        "left_out": fitted.design.left_out,
        "algorithm": candidate.algorithm,
        "setting": candidate.setting,
        "n_clusters": len(fitted.centres),
        "greatest_segment_id": max(greatest, *fitted.centres),
        "reduction_ari": reduction_ari,
        "model": fitted.to_json(),
    }
