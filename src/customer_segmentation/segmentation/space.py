"""Space: customers as points, by their encoded features or the principal components."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from customer_segmentation.segmentation.blocks import related_features
from customer_segmentation.segmentation.declare import (
    MAX_LEVELS,
    Feature,
    Segmentation,
)
from customer_segmentation.segmentation.encoders import (
    CategoryEncoder,
    Encoder,
    NumericEncoder,
    read_feature,
    require_column,
    restore_encoder,
)
from customer_segmentation.segmentation.weighted import Points

Blocks = Sequence[Sequence[int]]


@dataclass(frozen=True)
class DesignMatrix:
    """The fitted map from the features of customers to points, and back.

    The point of a customer depends on the customer's own features only, to the last bit
    in any batch.

    Parameters
    ----------
    segmentation : str
        Named in messages.
    features : tuple of Feature
        As declared.
    encoders : tuple of Encoder
        One for each feature, in the order declared.
    blocks : tuple of tuple of int
        Columns that are functions of each other; each column is in one block.
    customers, excluded_customers : int
        Number of customers fitted on, and of those who lack a feature that excludes
        them.
    """

    segmentation: str
    features: tuple[Feature, ...]
    encoders: tuple[Encoder, ...]
    blocks: tuple[tuple[int, ...], ...]
    customers: int
    excluded_customers: int

    @classmethod
    def fit(cls, frame: pd.DataFrame, segmentation: Segmentation) -> Self:
        """Fit to the customers that have every feature needed.

        Parameters
        ----------
        frame : pandas.DataFrame of n rows
            Customers sorted by key, with the features as columns. With one row or none,
            all features are constant.
        segmentation : Segmentation
            The declaration.

        Raises
        ------
        InputError
            If a feature does not exist, has the wrong type, or is not finite.
        """
        features = segmentation.features
        readings, is_kept = _read(frame, segmentation.name, features)
        encoders = tuple(
            _encoder(feature).fit(reading)
            for feature, reading in zip(features, readings, strict=True)
        )
        groups = related_features(
            readings,
            [encoder.is_constant for encoder in encoders],
            [feature.block for feature in features],
        )
        return cls(
            segmentation=segmentation.name,
            features=features,
            encoders=encoders,
            blocks=_column_blocks(encoders, groups),
            customers=int(is_kept.sum()),
            excluded_customers=int((~is_kept).sum()),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, such as ``age is missing`` or ``city=Paris``."""
        return tuple(name for one in self.encoders for name in one.columns)

    @property
    def is_numeric(self) -> tuple[bool, ...]:
        """Whether the order of each column has a meaning."""
        return tuple(flag for one in self.encoders for flag in one.is_numeric)

    @property
    def marks_missing(self) -> tuple[bool, ...]:
        """Whether each column says that a value is missing."""
        return tuple(flag for one in self.encoders for flag in one.marks_missing)

    @property
    def constant_features(self) -> tuple[str, ...]:
        """The features that are equal for all customers: their columns are zeros."""
        return tuple(one.name for one in self.encoders if one.is_constant)

    def transform(self, frame: pd.DataFrame) -> tuple[Points, NDArray[np.bool_]]:
        """Map customers to points.

        Parameters
        ----------
        frame : pandas.DataFrame of n rows
            Customers, with the features as columns.

        Returns
        -------
        points : ndarray of shape (n_kept, columns)
            In the order of the frame.
        is_kept : ndarray of bool, shape (n,)
            False for a customer without a feature that is not imputed.

        Raises
        ------
        InputError
            If a feature does not exist, has the wrong type, or is not finite.
        """
        readings, is_kept = _read(frame, self.segmentation, self.features)
        columns = [
            encoder.transform(reading)
            for encoder, reading in zip(self.encoders, readings, strict=True)
        ]
        return np.hstack(columns), is_kept

    def inverse_transform(self, points: Points) -> Points:
        """Map points of shape (m, columns) to the features' own units.

        A level or a flag becomes the share that has it. A constant feature becomes its
        one value, nan if no customer had one.
        """
        ends = np.cumsum([len(encoder.columns) for encoder in self.encoders])
        parts = np.split(points, ends[:-1], axis=1)
        return np.hstack(
            [
                encoder.inverse_transform(part)
                for encoder, part in zip(self.encoders, parts, strict=True)
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it, to the last bit."""
        return {
            **vars(self),
            "features": [asdict(feature) for feature in self.features],
            "encoders": [encoder.to_dict() for encoder in self.encoders],
            "blocks": [list(block) for block in self.blocks],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return what ``to_dict`` stored."""
        parts = {
            "features": tuple(Feature(**feature) for feature in stored["features"]),
            "encoders": tuple(restore_encoder(one) for one in stored["encoders"]),
            "blocks": tuple(tuple(block) for block in stored["blocks"]),
        }
        return cls(**{**stored, **parts})


def _read(
    frame: pd.DataFrame, segmentation: str, features: Sequence[Feature]
) -> tuple[list[pd.Series], NDArray[np.bool_]]:
    """Read the features of the customers that have them, and say who has them."""
    for feature in features:
        require_column(segmentation, feature.name, frame.columns)
    readings = [
        read_feature(
            frame[feature.name],
            feature.transform,
            f"segmentation {segmentation}: features.{feature.name}",
        )
        for feature in features
    ]
    is_kept = np.ones(len(frame), dtype=bool)
    for feature, reading in zip(features, readings, strict=True):
        if feature.missing == "exclude":
            is_kept &= reading.notna().to_numpy()
    return [reading[is_kept] for reading in readings], is_kept


def _encoder(feature: Feature) -> Encoder:
    imputes = feature.missing == "impute"
    if feature.transform == "onehot":
        return CategoryEncoder(
            feature.name, feature.weight, MAX_LEVELS, imputes=imputes
        )
    return NumericEncoder(
        feature.name, feature.transform, feature.weight, imputes=imputes
    )


def _column_blocks(
    encoders: Sequence[Encoder], groups: Sequence[Sequence[int]]
) -> tuple[tuple[int, ...], ...]:
    """Return the columns of each group of features."""
    owners = np.repeat(
        np.arange(len(encoders)), [len(encoder.columns) for encoder in encoders]
    )
    blocks = [
        tuple(np.flatnonzero(np.isin(owners, group)).tolist()) for group in groups
    ]
    return tuple(sorted(block for block in blocks if block))


@dataclass(frozen=True)
class Projection:
    """A linear projection; the result of a row does not depend on the other rows.

    Parameters
    ----------
    mean : ndarray of shape (columns,)
        Subtracted first.
    components : ndarray of shape (d, columns)
        The directions.
    """

    mean: Points
    components: Points

    @classmethod
    def principal(cls, points: Points, kept: float | int) -> Self:
        """Fit principal components, each with a fixed sign.

        Parameters
        ----------
        points : ndarray of shape (n, columns)
            What to fit.
        kept : float or int
            A share of the variance, or a number of components; all of them, if there
            are fewer.
        """
        if isinstance(kept, int):
            kept = min(kept, *points.shape)
        largest_range = np.ptp(points, axis=0).max(initial=0)
        if len(points) < 2 or largest_range == 0:
            return cls(np.zeros(points.shape[1]), np.eye(points.shape[1])[:1])
        fitted = PCA(kept, svd_solver="covariance_eigh").fit(points)
        components = fitted.components_
        largest = np.abs(components).argmax(axis=1)
        signs = np.sign(components[np.arange(len(components)), largest])
        return cls(fitted.mean_, components * signs[:, None])

    def transform(self, points: Points) -> Points:
        """Return projected points of shape (n, d), column by column in any batch."""
        projected = np.zeros((len(points), len(self.components)))
        for column in range(points.shape[1]):
            centred = points[:, column] - self.mean[column]
            projected += centred[:, None] * self.components[:, column]
        return projected

    def inverse_transform(self, points: Points) -> Points:
        """Return the nearest points of the space that is projected."""
        return points @ self.components + self.mean

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {"mean": self.mean.tolist(), "components": self.components.tolist()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return what ``to_dict`` stored."""
        return cls(np.array(stored["mean"]), np.array(stored["components"]))


@dataclass(frozen=True)
class Space:
    """Customers in the space in which they are clustered.

    Parameters
    ----------
    design_points : ndarray of shape (n, columns)
        The design matrix.
    blocks : sequence of sequences of int
        Columns that are functions of each other.
    is_numeric : sequence of bool
        Whether the order of each column has a meaning.
    pca : float, int or None
        Which principal components to keep; None clusters the design matrix.
    projection : Projection or None
        The principal components kept.
    marks_missing : sequence of bool
        Whether each column says that a value is missing; if empty, none does.
    """

    design_points: Points
    blocks: Blocks
    is_numeric: Sequence[bool]
    pca: float | int | None = None
    projection: Projection | None = None
    marks_missing: Sequence[bool] = ()

    @classmethod
    def fit(
        cls,
        design_points: Points,
        blocks: Blocks,
        is_numeric: Sequence[bool],
        pca: float | int | None = None,
        marks_missing: Sequence[bool] = (),
    ) -> Self:
        """Return a space whose principal components are fitted."""
        projection = None if pca is None else Projection.principal(design_points, pca)
        return cls(design_points, blocks, is_numeric, pca, projection, marks_missing)

    @property
    def points(self) -> Points:
        """The points to cluster, of shape (n, d)."""
        if self.projection is None:
            return self.design_points
        return self.projection.transform(self.design_points)

    def fit_transform(self, design_points: Points) -> Points:
        """Return other data as they would be clustered, on their own components."""
        if self.pca is None:
            return design_points
        return Projection.principal(design_points, self.pca).transform(design_points)

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return the space with some of the customers."""
        return replace(self, design_points=self.design_points[rows])
