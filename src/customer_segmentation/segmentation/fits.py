"""A fitted segmentation: transforms, prototypes and ids, as one row of a table."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import pandas as pd
import sklearn
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from customer_segmentation.errors import InputError
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.design_matrix import DesignMatrix
from customer_segmentation.segmentation.fitting import (
    agreement_with_full_fit,
    fit_customers,
)
from customer_segmentation.segmentation.indices import Points
from customer_segmentation.segmentation.matching import match_segments
from customer_segmentation.segmentation.prototypes import Assignment, Prototypes
from customer_segmentation.segmentation.search import SEED
from customer_segmentation.segmentation.space import Projection, Space
from customer_segmentation.segmentation.specs import Segmentation

# where nothing is declared, the first of these that the source system has
VALUE_FEATURES = ("monetary", "frequency", "spending_score")


# the keys of a declaration that make a fit, once its candidate is chosen
MAKING = ("source_system", "features", "pca", "value_feature")


@dataclass(frozen=True)
class FittedSegmentation:
    """What assigns customers to segments, and what the next fit is matched with.

    Parameters
    ----------
    design : DesignMatrix
        From features to points.
    projection : Projection or None
        The principal components clustered in, if declared.
    plane : Projection
        Two components to draw customers in.
    prototypes : Prototypes
        With the segments' ids.
    centres : mapping of int to mapping of str to float
        For each segment its middle, in the features' own units.
    """

    design: DesignMatrix
    projection: Projection | None
    plane: Projection
    prototypes: Prototypes
    centres: Mapping[int, Mapping[str, float]]

    def project(self, design_points: Points) -> Points:
        """Return points of the design matrix in the space clustered in."""
        if self.projection is None:
            return design_points
        return self.projection.apply(design_points)

    def assign(
        self, frame: pd.DataFrame
    ) -> tuple[Assignment, Points, NDArray[np.bool_]]:
        """Assign customers, those of the fit or others.

        Parameters
        ----------
        frame : pandas.DataFrame
            One row per customer, with the features as columns.

        Returns
        -------
        assignment : Assignment
            Of those kept.
        drawn : ndarray of shape (n_kept, 2)
            Where to draw them.
        is_kept : ndarray of bool, shape (n,)
            False for who lacks a feature that leaves customers out.
        """
        points, is_kept = self.design.transform(frame)
        assignment = self.prototypes.assign(self.project(points))
        drawn = np.zeros((len(points), 2))
        drawn[:, : len(self.plane.components)] = self.plane.apply(points)
        return assignment, drawn, is_kept

    def in_own_units(self) -> tuple[Points, Points]:
        """Return the prototypes' design columns: as clustered, and in own units."""
        positions = self.prototypes.positions
        if self.projection is not None:
            positions = self.projection.invert(positions)
        return positions, self.design.values(positions)

    def to_json(self) -> str:
        """Return it as text that ``from_json`` reads to the last bit."""
        return json.dumps(
            {
                "design": self.design.to_dict(),
                "projection": self.projection and self.projection.to_dict(),
                "plane": self.plane.to_dict(),
                "prototypes": self.prototypes.to_dict(),
                "centres": {str(key): dict(one) for key, one in self.centres.items()},
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return what ``to_json`` wrote."""
        stored = json.loads(text)
        return cls(
            design=DesignMatrix.from_dict(stored["design"]),
            projection=stored["projection"]
            and Projection.from_dict(stored["projection"]),
            plane=Projection.from_dict(stored["plane"]),
            prototypes=Prototypes.from_dict(stored["prototypes"]),
            centres={int(key): one for key, one in stored["centres"].items()},
        )


def fingerprint(
    frame: pd.DataFrame, segmentation: Segmentation, candidate: Candidate
) -> str:
    """Return a hash of what makes a fit: customers, declaration, choice, library."""
    digest = hashlib.md5(usedforsecurity=False)
    declared = asdict(segmentation)
    made_by = [
        *({key: declared[key] for key in MAKING}, asdict(candidate)),
        sklearn.__version__,
    ]
    digest.update(json.dumps(made_by, sort_keys=True).encode())
    for column in frame:
        digest.update(column.encode())
        values = frame[column]
        if pd.api.types.is_numeric_dtype(values):
            digest.update(values.to_numpy(dtype=float, na_value=np.nan).tobytes())
        else:
            digest.update("\x1f".join(values.fillna("\x1e").astype(str)).encode())
    return digest.hexdigest()


# a sum has other bits when other threads share it
@threadpool_limits.wrap(limits=1, user_api="blas")
def fit_segmentation(
    frame: pd.DataFrame,
    segmentation: Segmentation,
    candidate: Candidate,
    earlier: FittedSegmentation | None = None,
    used_ids: frozenset[int] = frozenset(),
) -> tuple[FittedSegmentation, float | None]:
    """Fit a candidate, and give its segments the ids that they had before.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per customer, sorted by key, with the features as columns.
    segmentation : Segmentation
        What is declared.
    candidate : Candidate
        What was chosen.
    earlier : FittedSegmentation, optional
        The last fit.
    used_ids : frozenset of int
        Every id the segmentation ever gave.

    Returns
    -------
    fitted : FittedSegmentation
        With ids from 1 on: those of the last fit where segments continue, else new
        ones, the most valuable segment first.
    reduction_ari : float or None
        How well a fit of micro-clusters agrees with a full one on a sample.

    Raises
    ------
    InputError
        If every customer lacks a feature, or one cannot be used.
    """
    design = DesignMatrix.fit(frame, segmentation)
    if design.customers == 0:
        raise InputError(
            f"segmentation {segmentation.name}: no customer has every feature; impute "
            "what they lack, or leave the feature out"
        )
    design_points, is_kept = design.transform(frame)
    space = Space.of(design_points, design.blocks, design.is_numeric, segmentation.pca)
    points = space.points
    [fit] = fit_customers(points, [candidate], seed=SEED)
    prototypes = fit.prototypes()
    labels = prototypes.assign(points).segment
    worth = _worth(frame[is_kept], segmentation)
    of_labels = {
        label: labels == label for label in np.unique(labels).tolist() if label > 0
    }
    if not of_labels:
        raise InputError(
            f"segmentation {segmentation.name}: {candidate.algorithm} "
            f"{candidate.setting} finds no segment in these customers; build "
            "cluster_choices first"
        )
    middles = design.values(
        np.stack([design_points[rows].mean(axis=0) for rows in of_labels.values()])
    )
    centres = {
        label: dict(zip(design.columns, middle.tolist(), strict=True))
        for label, middle in zip(of_labels, middles, strict=True)
    }
    ids = match_segments(
        earlier.centres if earlier else {},
        centres,
        _spread_within(design, design_points, list(of_labels.values())),
        {label: float(worth[rows].mean()) for label, rows in of_labels.items()},
        used_ids,
    )
    fitted = FittedSegmentation(
        design=design,
        projection=space.projection,
        plane=Projection.principal(design_points, min(2, len(design.columns))),
        prototypes=prototypes.renamed(ids),
        centres={ids[label]: centre for label, centre in centres.items()},
    )
    return fitted, agreement_with_full_fit(fit, points, prototypes, SEED)


def columns_needed(segmentation: Segmentation, columns: list[str]) -> list[str]:
    """Return which columns of the features a fit reads."""
    names = [feature.name for feature in segmentation.features]
    worth = [segmentation.value_feature or name for name in VALUE_FEATURES]
    return [
        *names,
        *dict.fromkeys(name for name in worth if name in columns and name not in names),
    ]


def _worth(frame: pd.DataFrame, segmentation: Segmentation) -> NDArray[np.float64]:
    """Return what each customer is worth: the value feature, or else nothing."""
    names = (
        [segmentation.value_feature] if segmentation.value_feature else VALUE_FEATURES
    )
    for name in names:
        if name in frame and frame[name].notna().any():
            return frame[name].to_numpy(dtype=float, na_value=0.0)
    return np.zeros(len(frame))


def _spread_within(
    design: DesignMatrix, design_points: Points, segments: list[NDArray[np.bool_]]
) -> dict[str, float]:
    """Return how far customers typically are from their segment's middle.

    For each column half the range of the middle two thirds, as a standard deviation is
    of normal data, weighted over the segments; in own units. Far customers do not
    stretch it, as they do a standard deviation.
    """
    values = design.values(design_points)
    spread = np.zeros(len(design.columns))
    for rows in segments:
        low, high = np.quantile(values[rows], [1 / 6, 5 / 6], axis=0)
        spread += (high - low) / 2 * rows.sum()
    spread /= np.sum(segments)
    whole = values.std(axis=0)
    spread = np.where(spread > 0, spread, np.where(whole > 0, whole, 1.0))
    return dict(zip(design.columns, spread.tolist(), strict=True))
