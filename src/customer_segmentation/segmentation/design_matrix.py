"""Customers as points: the space that a segmentation clusters in."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from customer_segmentation.segmentation.blocks import related_features
from customer_segmentation.segmentation.encoders import (
    CategoryEncoder,
    NumericEncoder,
    read_feature,
)
from customer_segmentation.segmentation.specs import (
    Feature,
    Segmentation,
    require_column,
)

Encoder = NumericEncoder | CategoryEncoder


@dataclass(frozen=True)
class DesignMatrix:
    """The fitted map from features of customers to points, and back.

    A customer's point depends on nothing but its own features: it is the same to the
    last bit in any batch.

    Parameters
    ----------
    segmentation : str
        Whose it is.
    features : tuple of Feature
        As declared.
    encoders : tuple of NumericEncoder or CategoryEncoder
        One a feature, in the order declared.
    blocks : tuple of tuple of int
        The columns in groups that are functions of one another, every column in one.
    customers, left_out : int
        How many it was fitted on, and how many lack a feature that leaves them out.
    """

    segmentation: str
    features: tuple[Feature, ...]
    encoders: tuple[Encoder, ...]
    blocks: tuple[tuple[int, ...], ...]
    customers: int
    left_out: int

    @classmethod
    def fit(cls, frame: pd.DataFrame, segmentation: Segmentation) -> "DesignMatrix":
        """Fit to customers.

        Parameters
        ----------
        frame : pandas.DataFrame
            One row per customer, sorted by key, with the features as columns. No rows,
            or one, make all features constant.
        segmentation : Segmentation
            What is declared.

        Returns
        -------
        DesignMatrix
            Fitted on the customers that no feature leaves out.

        Raises
        ------
        InputError
            If a feature is missing, of the wrong kind, or not finite.
        """
        features = segmentation.features
        readings = _read(frame, segmentation.name, features)
        is_kept = _is_kept(readings, features, len(frame))
        kept = [reading[is_kept] for reading in readings]
        encoders = tuple(
            CategoryEncoder.fit(feature, reading)
            if feature.transform == "onehot"
            else NumericEncoder.fit(feature, reading)
            for feature, reading in zip(features, kept, strict=True)
        )
        groups = related_features(features, encoders, kept)
        return cls(
            segmentation=segmentation.name,
            features=features,
            encoders=encoders,
            blocks=_column_blocks(encoders, groups),
            customers=int(is_kept.sum()),
            left_out=int((~is_kept).sum()),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, such as ``age is missing`` or ``city=Paris``."""
        return tuple(name for one in self.encoders for name in one.columns)

    @property
    def is_numeric(self) -> tuple[bool, ...]:
        """Which columns are numbers, with an order; no flag and no level is."""
        return tuple(flag for one in self.encoders for flag in one.numeric_columns)

    @property
    def constant_features(self) -> tuple[str, ...]:
        """The features that tell no customers apart: their columns are zeros."""
        return tuple(one.name for one in self.encoders if one.is_constant)

    def transform(self, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Map customers to points.

        Parameters
        ----------
        frame : pandas.DataFrame
            One row per customer, with the features as columns.

        Returns
        -------
        points : ndarray of shape (n_kept, n_columns)
            In the order of the frame.
        is_kept : ndarray of bool, shape (n,)
            False for a customer who lacks a feature that leaves customers out.

        Raises
        ------
        InputError
            If a feature is missing, of the wrong kind, or not finite.
        """
        readings = _read(frame, self.segmentation, self.features)
        is_kept = _is_kept(readings, self.features, len(frame))
        points = np.empty((int(is_kept.sum()), len(self.columns)))
        position = 0
        for encoder, reading in zip(self.encoders, readings, strict=True):
            for column in encoder.encode(reading[is_kept]):
                points[:, position] = column
                position += 1
        return points, is_kept

    def values(self, points: np.ndarray) -> np.ndarray:
        """Map points to the features' own units.

        Parameters
        ----------
        points : ndarray of shape (m, n_columns)
            Customers, or centres of clusters.

        Returns
        -------
        ndarray of shape (m, n_columns)
            A level or a flag: the share that has it. A constant feature: its one value,
            nan if no customer had any.
        """
        columns = []
        position = 0
        for encoder in self.encoders:
            end = position + len(encoder.columns)
            columns.extend(encoder.values(points[:, position:end]))
            position = end
        return np.column_stack(columns) if columns else np.empty((len(points), 0))

    def to_dict(self) -> dict:
        """Return it as what JSON can hold, to the last bit."""
        return {
            "segmentation": self.segmentation,
            "features": [feature.__dict__ for feature in self.features],
            "encoders": [encoder.to_dict() for encoder in self.encoders],
            "blocks": [list(block) for block in self.blocks],
            "customers": self.customers,
            "left_out": self.left_out,
        }

    @classmethod
    def from_dict(cls, stored: dict) -> "DesignMatrix":
        """Return what `to_dict` stored."""
        return cls(
            segmentation=stored["segmentation"],
            features=tuple(Feature(**feature) for feature in stored["features"]),
            encoders=tuple(
                (CategoryEncoder if "levels" in one else NumericEncoder).from_dict(one)
                for one in stored["encoders"]
            ),
            blocks=tuple(tuple(block) for block in stored["blocks"]),
            customers=stored["customers"],
            left_out=stored["left_out"],
        )


def _read(
    frame: pd.DataFrame, segmentation: str, features: tuple[Feature, ...]
) -> list[pd.Series]:
    for feature in features:
        require_column(segmentation, feature.name, frame.columns)
    return [
        read_feature(
            frame[feature.name],
            feature.transform,
            f"segmentation {segmentation}: features.{feature.name}",
        )
        for feature in features
    ]


def _is_kept(
    readings: list[pd.Series], features: tuple[Feature, ...], customers: int
) -> np.ndarray:
    is_kept = np.ones(customers, dtype=bool)
    for feature, reading in zip(features, readings, strict=True):
        if feature.missing == "leave_out":
            is_kept &= reading.notna().to_numpy()
    return is_kept


def _column_blocks(
    encoders: tuple[Encoder, ...], groups: list[list[int]]
) -> tuple[tuple[int, ...], ...]:
    ends = np.cumsum([len(encoder.columns) for encoder in encoders])
    starts = [0, *ends[:-1].tolist()]
    blocks = [
        tuple(
            column
            for feature in group
            for column in range(starts[feature], int(ends[feature]))
        )
        for group in groups
    ]
    return tuple(sorted(block for block in blocks if block))
