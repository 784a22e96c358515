"""Entries of the registry: what is recorded of each trained model."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from customer_segmentation.prediction.feature_kinds import ModelFeature

__all__ = [
    "INTERESTS",
    "NEXT_PURCHASES",
    "REGISTRY",
    "REGISTRY_FACTS",
    "SEGMENT_PREFIX",
    "ModelEntry",
    "Purpose",
    "Recipe",
    "Trained",
    "to_table",
]

INTERESTS = "interests"
NEXT_PURCHASES = "next_purchases"
SEGMENT_PREFIX = "segment:"

REGISTRY = pa.schema(
    [
        ("model_id", pa.string()),
        ("task", pa.string()),
        ("source_system", pa.string()),
        ("population", pa.string()),
        ("horizon_days", pa.int32()),
        ("sequence", pa.int32()),
        ("is_promoted", pa.bool_()),
        ("algorithm", pa.string()),
        ("parameters", pa.string()),
        ("trained_as_of", pa.date32()),
        ("training_dates", pa.string()),
        ("customers", pa.int64()),
        ("fingerprint", pa.string()),
        ("features", pa.string()),
        ("training_bins", pa.string()),
        ("metrics", pa.string()),
        ("baseline", pa.string()),
        ("baseline_metrics", pa.string()),
        ("library_versions", pa.string()),
        ("trusted_types", pa.string()),
        ("model_hash", pa.string()),
        ("model", pa.binary()),
    ]
)
# all columns except the file, which may be large
REGISTRY_FACTS = [name for name in REGISTRY.names if name != "model"]


@dataclass(frozen=True)
class Purpose:
    """What a model predicts, for which customers; each purpose has one champion.

    Parameters
    ----------
    task : str
        ``next_purchases``, ``interests``, or ``segment:`` and the name of the
        segmentation.
    source_system : str
        Whose customers.
    population : str
        ``existing`` or ``new``.
    horizon_days : int
        Length of the outcome.

    Examples
    --------
    >>> Purpose("next_purchases", "shop", "new", 365).name
    'shop.next_purchases.new.365'
    """

    task: str
    source_system: str
    population: str
    horizon_days: int

    @property
    def name(self) -> str:
        """The purpose as text, the source system first."""
        return f"{self.source_system}.{self.task}.{self.population}.{self.horizon_days}"


@dataclass(frozen=True)
class Recipe:
    """How a model is made, whatever the data.

    Parameters
    ----------
    algorithm : str
        Name of the candidate.
    parameters : mapping of str to object
        Its settings, as JSON can store them.
    """

    algorithm: str
    parameters: Mapping[str, Any]

    def to_json(self) -> str:
        """Return the same text for the same recipe; tuples become lists."""
        return _to_json([self.algorithm, dict(self.parameters)])


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What is known of a model once it is trained.

    Parameters
    ----------
    purpose : Purpose
        What it predicts.
    recipe : Recipe
        How it was made.
    trained_as_of : date
        As-of date of the source system: events on or after it were ignored.
    training_dates : tuple of date
        First and last date of the customers that it learned from.
    customers : int
        Number of these customers.
    fingerprint : str
        From ``training_fingerprint``.
    features : tuple of ModelFeature
        That it reads, in this order.
    training_bins : mapping
        From ``psi.training_bins``.
    metrics, baseline_metrics : mapping of str to float
        Values of the selection metrics, ``nan`` where not defined.
    baseline : str
        The baseline that it was compared with.
    """

    purpose: Purpose
    recipe: Recipe
    trained_as_of: date
    training_dates: tuple[date, ...]
    customers: int
    fingerprint: str
    features: tuple[ModelFeature, ...]
    training_bins: Mapping[str, Any]
    metrics: Mapping[str, float]
    baseline: str
    baseline_metrics: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class ModelEntry(Trained):
    """One row of the registry.

    Parameters
    ----------
    sequence : int
        1, 2, … within its purpose.
    is_promoted : bool
        Whether it became the champion when it was registered.
    library_versions : mapping of str to str
        Versions that it was trained with.
    trusted_types : tuple of str
        Types in the file that skops does not trust by itself.
    model_hash : str
        SHA-256 of the id of the model and its file. It reveals damage and swapped
        files, not forgery: it is stored beside the file.
    model : bytes or None
        The skops file; None if only ``REGISTRY_FACTS`` were read.
    """

    sequence: int
    is_promoted: bool
    library_versions: Mapping[str, str]
    trusted_types: tuple[str, ...]
    model_hash: str
    model: bytes | None

    @property
    def model_id(self) -> str:
        """Purpose and sequence: ``online_retail.next_purchases.existing.365.3``."""
        return f"{self.purpose.name}.{self.sequence}"

    def to_row(self) -> dict[str, Any]:
        """Return the row of the schema ``REGISTRY``; lists and mappings are JSON."""
        return {
            "model_id": self.model_id,
            **asdict(self.purpose),
            "sequence": self.sequence,
            "is_promoted": self.is_promoted,
            "algorithm": self.recipe.algorithm,
            "parameters": _to_json(self.recipe.parameters),
            "trained_as_of": self.trained_as_of,
            "training_dates": _to_json(
                [day.isoformat() for day in self.training_dates]
            ),
            "customers": self.customers,
            "fingerprint": self.fingerprint,
            "features": _to_json([asdict(feature) for feature in self.features]),
            "training_bins": _to_json(self.training_bins),
            "metrics": _to_json(_nan_as_none(self.metrics)),
            "baseline": self.baseline,
            "baseline_metrics": _to_json(_nan_as_none(self.baseline_metrics)),
            "library_versions": _to_json(self.library_versions),
            "trusted_types": _to_json(self.trusted_types),
            "model_hash": self.model_hash,
            "model": self.model,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Return the entry that ``to_row`` wrote, with its file or without."""
        return cls(
            purpose=Purpose(
                task=row["task"],
                source_system=row["source_system"],
                population=row["population"],
                horizon_days=int(row["horizon_days"]),
            ),
            recipe=Recipe(row["algorithm"], json.loads(row["parameters"])),
            trained_as_of=pd.Timestamp(row["trained_as_of"]).date(),
            training_dates=tuple(
                map(date.fromisoformat, json.loads(row["training_dates"]))
            ),
            customers=int(row["customers"]),
            fingerprint=row["fingerprint"],
            features=tuple(ModelFeature(**one) for one in json.loads(row["features"])),
            training_bins=json.loads(row["training_bins"]),
            metrics=_none_as_nan(json.loads(row["metrics"])),
            baseline=row["baseline"],
            baseline_metrics=_none_as_nan(json.loads(row["baseline_metrics"])),
            sequence=int(row["sequence"]),
            is_promoted=bool(row["is_promoted"]),
            library_versions=json.loads(row["library_versions"]),
            trusted_types=tuple(json.loads(row["trusted_types"])),
            model_hash=row["model_hash"],
            model=None if row.get("model") is None else bytes(row["model"]),
        )


def to_table(entries: Iterable[ModelEntry]) -> pa.Table:
    """Return the entries as a table of the schema ``REGISTRY``."""
    return pa.Table.from_pylist([entry.to_row() for entry in entries], REGISTRY)


def _to_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False)


def _nan_as_none(metrics: Mapping[str, float]) -> dict[str, float | None]:
    return {
        name: None if np.isnan(value) else float(value)
        for name, value in metrics.items()
    }


def _none_as_nan(metrics: Mapping[str, float | None]) -> dict[str, float]:
    return {
        name: float("nan") if value is None else value
        for name, value in metrics.items()
    }
