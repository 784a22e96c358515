"""The steps that the dbt Python models run: read once, compute, and return a table.

``features`` is the relation ``int_features__customer_days`` and ``fits`` is
``int_segmentation__fits``; ``variables`` are the vars that ``read_segmentations``
reads. Tables have the schemas of ``tables``. A wrong declaration, or a feature that
cannot be used, raises an `InputError`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.errors import InputError
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.declare import (
    Segmentation,
    read_segmentations,
)
from customer_segmentation.segmentation.explain import shallow_rules
from customer_segmentation.segmentation.fits import (
    FittedSegmentation,
    fingerprint,
    fit_segmentation,
)
from customer_segmentation.segmentation.judge import candidates_of, search
from customer_segmentation.segmentation.space import DesignMatrix, Space
from customer_segmentation.segmentation.tables import (
    ASSIGNMENTS,
    CANDIDATES,
    PROTOTYPES,
    RULES,
    TODAY,
    FitRecord,
    assignment_table,
    candidate_table,
    check_features,
    fit_table,
    prototype_table,
    read_assigned_customers,
    read_choices,
    read_customers,
    read_fits,
    read_last_fits,
    read_model,
    rule_table,
)


def search_segmentations(
    features: engine.Relation, variables: Mapping[str, Any]
) -> pa.Table:
    """Fit and measure every candidate of every declared segmentation.

    Returns
    -------
    pyarrow.Table
        ``CANDIDATES``: one row per segmentation, algorithm and setting. A segmentation
        without customers has none.
    """
    declared = read_segmentations(variables)
    # before the first search, which takes a while
    for segmentation in declared.segmentations:
        check_features(segmentation, features)
    tables = [CANDIDATES.empty_table()]
    for segmentation in declared.segmentations:
        frame = read_customers(features, segmentation)
        design = DesignMatrix.fit(frame, segmentation)
        if design.customers == 0:
            continue
        points, _ = design.transform(frame)
        space = Space.fit(
            points,
            design.blocks,
            design.is_numeric,
            segmentation.pca,
            design.marks_missing,
        )
        judged = search(segmentation, space, declared.budget)
        tables.append(candidate_table(segmentation, design, judged))
    return pa.concat_tables(tables)


def fit_segmentations(
    features: engine.Relation,
    choices: engine.Relation,
    variables: Mapping[str, Any],
    earlier: engine.Relation | None,
) -> pa.Table:
    """Fit the choices, unless the last fit is the same.

    Parameters
    ----------
    choices : engine.Relation
        ``cluster_choices``.
    earlier : engine.Relation or None
        The fits so far.

    Returns
    -------
    pyarrow.Table
        ``FITS``: one row per segmentation with a choice, unless its last fit has the
        same customers, declaration, choice and number of refits.
    """
    declared = read_segmentations(variables)
    last_fits = read_last_fits(earlier)
    choice_of = read_choices(choices)
    fits = []
    for segmentation in declared.segmentations:
        if segmentation.name not in choice_of:
            continue
        candidate = _find_candidate(segmentation, *choice_of[segmentation.name])
        frame = read_customers(features, segmentation)
        refits = declared.budget.refits
        digest = fingerprint(frame, segmentation, candidate, refits)
        last = last_fits.get(segmentation.name)
        if last is None:
            fits.append(_fit(frame, segmentation, candidate, refits, digest))
        elif last.fingerprint != digest:
            known = (last, read_model(earlier, last.fit_id))
            fits.append(_fit(frame, segmentation, candidate, refits, digest, known))
    return fit_table(fits)


def expand_prototypes(
    fits: engine.Relation, earlier: engine.Relation | None
) -> pa.Table:
    """Return the prototypes of new fits.

    Parameters
    ----------
    earlier : engine.Relation or None
        The column ``fit_id`` of the prototypes so far.

    Returns
    -------
    pyarrow.Table
        ``PROTOTYPES``: one row per fit, prototype and feature.
    """
    known: set[str] = set()
    if earlier is not None:
        known.update(engine.read(earlier, ["fit_id"], order_by="fit_id")["fit_id"])
    new = [record for record in read_fits(fits) if record.fit_id not in known]
    tables = (prototype_table(one, read_model(fits, one.fit_id)) for one in new)
    return pa.concat_tables([PROTOTYPES.empty_table(), *tables])


def assign_customers(
    features: engine.Relation, fits: engine.Relation, variables: Mapping[str, Any]
) -> engine.Stream:
    """Give every customer the segment of the nearest prototype of the last fit.

    Returns
    -------
    engine.Stream
        ``ASSIGNMENTS``: one row per customer and segmentation. The segment is 0 for an
        outlier, and null for an excluded customer.
    """
    declared = read_segmentations(variables).segmentations
    assigner = _Assigner.read(fits, [segmentation.name for segmentation in declared])
    return engine.map_batches(
        features,
        ["customer_key", "source_system", *assigner.columns],
        assigner,
        ASSIGNMENTS,
        where=TODAY,
    )


def assign_frame(
    frame: pd.DataFrame, fits: engine.Relation, segmentations: Collection[str]
) -> pd.DataFrame:
    """Assign customers in memory by the last fits of some segmentations.

    Parameters
    ----------
    frame : pandas.DataFrame
        Customers of any as-of date, with ``customer_key``, ``source_system`` and the
        columns that ``fit_columns`` lists.
    segmentations : collection of str
        Their names; those without a fit are ignored.

    Returns
    -------
    pandas.DataFrame
        ``customer_key``, ``segmentation`` and ``segment_id`` (Int64): one row per
        segmentation and customer of its source system, in the order of the frame. The
        segment is 0 for an outlier, and NA for an excluded customer.
    """
    assigned = _Assigner.read(fits, segmentations).assign(frame)
    return (
        assigned.select(["customer_key", "segmentation", "segment_id"])
        .to_pandas(integer_object_nulls=True)
        .astype({"segment_id": "Int64"})
    )


def fit_columns(fits: engine.Relation, segmentations: Collection[str]) -> list[str]:
    """Return the features that the last fits of some segmentations need, sorted."""
    return _Assigner.read(fits, segmentations).columns


def explain_segments(
    features: engine.Relation,
    assignments: engine.Relation,
    variables: Mapping[str, Any],
) -> pa.Table:
    """Describe the segments by rules of at most three conditions.

    Parameters
    ----------
    assignments : engine.Relation
        ``int_segmentation__assignments``.

    Returns
    -------
    pyarrow.Table
        ``RULES``: one row per segmentation and rule.
    """
    tables = [RULES.empty_table()]
    for segmentation in read_segmentations(variables).segmentations:
        customers = read_assigned_customers(features, assignments, segmentation)
        names = [feature.name for feature in segmentation.features]
        segments = customers["segment_id"].to_numpy(dtype=np.int64)
        tables.append(
            rule_table(segmentation, shallow_rules(customers[names], segments))
        )
    return pa.concat_tables(tables)


def _find_candidate(
    segmentation: Segmentation, algorithm: str, setting: str
) -> Candidate:
    for candidate in candidates_of(segmentation):
        if (candidate.algorithm, candidate.setting) == (algorithm, setting):
            return candidate
    raise InputError(
        f"segmentation {segmentation.name}: {algorithm} {setting}, which was chosen, "
        "is no longer declared; build cluster_choices first"
    )


def _fit(
    frame: pd.DataFrame,
    segmentation: Segmentation,
    candidate: Candidate,
    refits: int,
    digest: str,
    last: tuple[FitRecord, FittedSegmentation] | None = None,
) -> tuple[FitRecord, FittedSegmentation]:
    """Fit a candidate, and number the fit after the last one."""
    number, largest_id, earlier = 1, 0, None
    if last is not None:
        record, earlier = last
        number, largest_id = record.fit_number + 1, record.max_segment_id
    fitted, reduction_ari = fit_segmentation(
        frame, segmentation, candidate, earlier, {largest_id}, refits
    )
    dates = frame["as_of_date"]
    new = FitRecord(
        fit_id=f"{segmentation.name}:{number}",
        segmentation=segmentation.name,
        source_system=segmentation.source_system,
        fit_number=number,
        as_of_date=None if dates.isna().all() else dates.max(),
        customers=fitted.design.customers,
        excluded_customers=fitted.design.excluded_customers,
        fingerprint=digest,
        algorithm=candidate.algorithm,
        setting=candidate.setting,
        n_clusters=len(fitted.centres),
        max_segment_id=max(largest_id, *fitted.centres),
        reduction_ari=reduction_ari,
    )
    return new, fitted


@dataclass(frozen=True)
class _Assigner:
    """Assigns the customers of a batch by the last fits; engines copy it to workers."""

    fits: tuple[tuple[FitRecord, FittedSegmentation], ...]

    @classmethod
    def read(cls, fits: engine.Relation, segmentations: Collection[str]) -> "_Assigner":
        return cls(
            tuple(
                (record, read_model(fits, record.fit_id))
                for name, record in read_last_fits(fits).items()
                if name in segmentations
            )
        )

    @property
    def columns(self) -> list[str]:
        """The features of the fits."""
        names = {
            feature.name
            for _, fitted in self.fits
            for feature in fitted.design.features
        }
        return sorted(names - {"source_system"})

    def __call__(self, batch: pa.Table) -> pa.Table:
        return self.assign(engine.to_frame(batch))

    def assign(self, frame: pd.DataFrame) -> pa.Table:
        return pa.concat_tables([ASSIGNMENTS.empty_table(), *self._assigned(frame)])

    def _assigned(self, frame: pd.DataFrame) -> Iterator[pa.Table]:
        for record, fitted in self.fits:
            rows = frame[frame["source_system"] == record.source_system]
            if not rows.empty:
                yield assignment_table(rows, record, fitted)
