"""Fits: the chosen candidate with everything that assigns customers, stored as JSON."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_segmentation.errors import InputError
from customer_segmentation.matching import match_segments
from customer_segmentation.parallel import single_threaded
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.cluster import (
    agreement_with_full_fit,
    fit_customers,
)
from customer_segmentation.segmentation.confidence import Refits, fit_refits
from customer_segmentation.segmentation.declare import (
    SEED,
    SearchBudget,
    Segmentation,
)
from customer_segmentation.segmentation.prototypes import Assignment, Prototypes
from customer_segmentation.segmentation.space import DesignMatrix, Projection, Space
from customer_segmentation.segmentation.weighted import Points
from customer_segmentation.versions import versions_of

# if no value feature is declared, the first of these that the source system has
VALUE_FEATURES = ("monetary", "frequency", "spending_score")
# what determines a fit in the declaration, once a candidate is chosen
FIT_KEYS = ("source_system", "features", "pca", "value_feature")


@dataclass(frozen=True)
class FittedSegmentation:
    """What assigns customers to segments, and what the next fit is matched with.

    Parameters
    ----------
    design : DesignMatrix
        From features to points.
    projection : Projection or None
        The principal components that are clustered, if declared.
    plane : Projection
        Two components to draw customers in.
    prototypes : Prototypes
        With the ids of the segments.
    centres : mapping of int to mapping of str to float
        For each segment the mean of its points, in the features' own units.
    refits : Refits or None
        How often refits keep customers in their segment; None in a fit that was stored
        by a version without them.
    """

    design: DesignMatrix
    projection: Projection | None
    plane: Projection
    prototypes: Prototypes
    centres: Mapping[int, Mapping[str, float]]
    refits: Refits | None

    def assign(
        self, frame: pd.DataFrame
    ) -> tuple[Assignment, NDArray[np.float64], Points, NDArray[np.bool_]]:
        """Assign customers, those of the fit or others.

        Parameters
        ----------
        frame : pandas.DataFrame of n rows
            Customers, with the features as columns.

        Returns
        -------
        assignment : Assignment
            Of the customers kept.
        confidence : ndarray of shape (n_kept,)
            The probability that a further refit keeps them in their segment; ``nan`` if
            the fit has no refits.
        drawn : ndarray of shape (n_kept, 2)
            Their coordinates in the plane.
        is_kept : ndarray of bool, shape (n,)
            False for a customer without a feature that is not imputed.
        """
        points, is_kept = self.design.transform(frame)
        drawn = np.zeros((len(points), 2))
        drawn[:, : len(self.plane.components)] = self.plane.transform(points)
        if self.projection is not None:
            points = self.projection.transform(points)
        assigned = self.prototypes.assign(points)
        confidence = np.full(len(points), np.nan)
        if self.refits is not None:
            confidence = self.refits.confidence(points, assigned)
        return assigned, confidence, drawn, is_kept

    def in_own_units(self) -> tuple[Points, Points]:
        """Return the design columns of prototypes: as clustered, and in own units."""
        positions = self.prototypes.positions
        if self.projection is not None:
            positions = self.projection.inverse_transform(positions)
        return positions, self.design.inverse_transform(positions)

    def to_json(self) -> str:
        """Return it as text that ``from_json`` reads to the last bit."""
        return json.dumps(
            {
                "design": self.design.to_dict(),
                "projection": self.projection and self.projection.to_dict(),
                "plane": self.plane.to_dict(),
                "prototypes": self.prototypes.to_dict(),
                "centres": {str(key): dict(one) for key, one in self.centres.items()},
                "refits": self.refits and self.refits.to_dict(),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return what ``to_json`` wrote."""
        stored = json.loads(text)
        # fits of earlier versions have none
        refits = stored.get("refits")
        return cls(
            design=DesignMatrix.from_dict(stored["design"]),
            projection=stored["projection"]
            and Projection.from_dict(stored["projection"]),
            plane=Projection.from_dict(stored["plane"]),
            prototypes=Prototypes.from_dict(stored["prototypes"]),
            centres={int(key): one for key, one in stored["centres"].items()},
            refits=refits and Refits.from_dict(refits),
        )


@single_threaded()
def fit_segmentation(
    frame: pd.DataFrame,
    segmentation: Segmentation,
    candidate: Candidate,
    earlier: FittedSegmentation | None = None,
    used_ids: Collection[int] = (),
    refits: int = SearchBudget.refits,
) -> tuple[FittedSegmentation, float | None]:
    """Fit a candidate; segments that continue those of the last fit keep their ids.

    Parameters
    ----------
    frame : pandas.DataFrame
        Customers sorted by key, with the features as columns.
    segmentation : Segmentation
        The declaration.
    candidate : Candidate
        The choice.
    earlier : FittedSegmentation, optional
        The last fit.
    used_ids : collection of int
        Every id that the segmentation ever used.
    refits : int
        How often it is fitted again to resamples, for the confidence; at least 2.

    Returns
    -------
    fitted : FittedSegmentation
        With ids from 1: those of the last fit, and new ones by value, the most valuable
        segment first.
    reduction_ari : float or None
        Agreement of a fit to weighted points with a full one on a sample.

    Raises
    ------
    InputError
        If every customer lacks a feature, or a feature cannot be used.
    """
    design = DesignMatrix.fit(frame, segmentation)
    if design.customers == 0:
        raise InputError(
            f"segmentation {segmentation.name}: no customer has every feature; impute "
            "missing values, or remove the feature"
        )
    design_points, is_kept = design.transform(frame)
    space = Space.fit(design_points, design.blocks, design.is_numeric, segmentation.pca)
    points = space.points
    [fit] = fit_customers(points, [candidate], seed=SEED)
    prototypes = fit.prototypes()
    labels = prototypes.nearest_segments(points)
    members = {
        label: labels == label for label in np.unique(labels).tolist() if label > 0
    }
    if not members:
        raise InputError(
            f"segmentation {segmentation.name}: {candidate.algorithm} "
            f"{candidate.setting} finds no segment in these customers; build "
            "cluster_choices first"
        )
    means = design.inverse_transform(
        np.stack([design_points[rows].mean(axis=0) for rows in members.values()])
    )
    centres = {
        label: dict(zip(design.columns, mean.tolist(), strict=True))
        for label, mean in zip(members, means, strict=True)
    }
    value = _value(frame[is_kept], segmentation)
    ids = match_segments(
        earlier.centres if earlier else {},
        centres,
        _scale_within(design, design_points, list(members.values())),
        {label: float(value[rows].mean()) for label, rows in members.items()},
        used_ids,
    )
    prototypes = prototypes.with_ids(ids)
    fitted = FittedSegmentation(
        design=design,
        projection=space.projection,
        plane=Projection.principal(design_points, min(2, len(design.columns))),
        prototypes=prototypes,
        centres={ids[label]: centre for label, centre in centres.items()},
        refits=fit_refits(fit, prototypes, points, refits, SEED),
    )
    return fitted, agreement_with_full_fit(fit, points, prototypes, SEED)


def columns_needed(segmentation: Segmentation, columns: Collection[str]) -> list[str]:
    """Return the columns of features that a fit reads."""
    names = [feature.name for feature in segmentation.features]
    values = [segmentation.value_feature or name for name in VALUE_FEATURES]
    return [
        *names,
        *dict.fromkeys(
            name for name in values if name in columns and name not in names
        ),
    ]


def fingerprint(
    frame: pd.DataFrame,
    segmentation: Segmentation,
    candidate: Candidate,
    refits: int = SearchBudget.refits,
) -> str:
    """Return a hash of what determines a fit.

    These are the customers, the declaration of their features, the choice, the number
    of refits, our code that fits, and the libraries that it calls.
    """
    digest = hashlib.md5(usedforsecurity=False)
    declared = asdict(segmentation)
    determined_by = [
        *({key: declared[key] for key in FIT_KEYS}, asdict(candidate)),
        *(refits, versions_of(__name__)),
    ]
    digest.update(json.dumps(determined_by, sort_keys=True).encode())
    for column in frame:
        digest.update(str(column).encode())
        values = frame[column]
        if pd.api.types.is_numeric_dtype(values):
            digest.update(values.to_numpy(dtype=float, na_value=np.nan).tobytes())
        else:
            digest.update("\x1f".join(values.fillna("\x1e").astype(str)).encode())
    return digest.hexdigest()


def _value(frame: pd.DataFrame, segmentation: Segmentation) -> NDArray[np.float64]:
    """Return the value of each customer, 0 if no feature tells it."""
    names = (
        [segmentation.value_feature] if segmentation.value_feature else VALUE_FEATURES
    )
    for name in names:
        if name in frame and frame[name].notna().any():
            return np.asarray(frame[name].to_numpy(dtype=float, na_value=0.0))
    return np.zeros(len(frame))


def _scale_within(
    design: DesignMatrix, design_points: Points, segments: Sequence[NDArray[np.bool_]]
) -> dict[str, float]:
    """Return the typical distance of customers from the centre of their segment.

    For each column, in its own units: half the range of the middle two thirds (for
    normal data the standard deviation), averaged over the segments by customers. Unlike
    a standard deviation, it ignores extreme customers.
    """
    values = design.inverse_transform(design_points)
    scale = np.zeros(len(design.columns))
    for rows in segments:
        low, high = np.quantile(values[rows], [1 / 6, 5 / 6], axis=0)
        scale += (high - low) / 2 * rows.sum()
    scale /= np.sum(segments)
    of_all = values.std(axis=0)
    scale = np.where(scale > 0, scale, np.where(of_all > 0, of_all, 1.0))
    return dict(zip(design.columns, scale.tolist(), strict=True))
