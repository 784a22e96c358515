"""The registry of models: recognising, registering and loading a model."""

import hashlib
import json
import platform
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import InconsistentVersionWarning

from customer_segmentation import engine
from customer_segmentation.errors import InputError
from customer_segmentation.prediction.entries import (
    REGISTRY_FACTS,
    ModelEntry,
    Recipe,
    Trained,
)
from customer_segmentation.prediction.feature_kinds import ModelFeature
from customer_segmentation.prediction.model_files import (
    dump_model,
    read_model,
    trusted_types,
)
from customer_segmentation.stored import MODELS, digest_of
from customer_segmentation.versions import code_hash

__all__ = [
    "hash_rows",
    "library_versions",
    "load_model",
    "read_entries",
    "read_entry",
    "register",
    "training_fingerprint",
]

# the libraries that the predictions of a model depend on
LIBRARIES = ("customer-segmentation", "numpy", "scikit-learn", "scipy", "skops")
# what it imports fits the models, and bins what drift compares
MAKES_MODELS = "customer_segmentation.prediction.training_set"
NULL = "\x1e"
SEPARATOR = "\x1f"
TRAIN_AGAIN = "train it again: dbt build --select tag:train+"


def read_entries(models: engine.Relation) -> list[ModelEntry]:
    """Read all entries of ``int_prediction__models`` without their files.

    Raises
    ------
    InputError
        If two rows have the same id, or a row has nulls or cannot be read.
    """
    rows = engine.read(models, REGISTRY_FACTS, order_by="model_id")
    MODELS.check(rows)
    return [_entry_of(row) for row in rows.to_dict("records")]


def read_entry(models: engine.Relation, model_id: str) -> ModelEntry:
    """Read one entry of ``int_prediction__models`` with its file.

    Raises
    ------
    InputError
        If it has no row or several, or its row has nulls or cannot be read.
    """
    return _entry_of(MODELS.one(models, model_id, *REGISTRY_FACTS, "model"))


def library_versions() -> dict[str, str]:
    """Return the versions of Python, the libraries and the code of predictions."""
    python = ".".join(platform.python_version_tuple()[:2])
    versions = {name: version(name) for name in LIBRARIES}
    versions["customer-segmentation"] += f"+{code_hash(MAKES_MODELS)}"
    return {"python": python, **versions}


def training_fingerprint(frame: pd.DataFrame, recipe: Recipe) -> str:
    """Return a hash of everything that makes a model: rows, recipe and versions.

    Parameters
    ----------
    frame : pandas.DataFrame
        The training rows in any order: keys, features, outcomes and season.
    recipe : Recipe
        What is fitted to them.
    """
    ingredients = [recipe.to_json(), library_versions(), hash_rows(frame)]
    return hashlib.md5(
        json.dumps(ingredients, sort_keys=True).encode(), usedforsecurity=False
    ).hexdigest()


def hash_rows(frame: pd.DataFrame) -> str:
    """Return a hash that depends on the order of the columns, not on that of the rows.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [31, 45]})
    >>> hash_rows(frame) == hash_rows(frame.iloc[::-1])
    True
    """
    digest = hashlib.md5(SEPARATOR.join(frame.columns).encode(), usedforsecurity=False)
    columns = {}
    for position, name in enumerate(frame.columns):
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values):
            # adding zero turns -0.0 into 0.0
            columns[position] = values.to_numpy(dtype=float, na_value=np.nan) + 0.0
        else:
            texts = values.astype(object).where(values.notna(), NULL)
            columns[position] = texts.astype(str).to_numpy(dtype=object)
    hashes = pd.util.hash_pandas_object(pd.DataFrame(columns), index=False)
    digest.update(np.sort(hashes.to_numpy()).tobytes())
    return digest.hexdigest()


def register(
    trained: Trained,
    model: object,
    earlier: Sequence[ModelEntry],
    *,
    is_promoted: bool,
) -> ModelEntry:
    """Return the entry of a trained model.

    Parameters
    ----------
    trained : Trained
        What is known of it.
    model : object
        The fitted model; ``dump_model`` says what it may be made of.
    earlier : sequence of ModelEntry
        The registry so far.
    is_promoted : bool
        Whether it is the first of its purpose, or replaces the champion.

    Raises
    ------
    InputError
        If the model could not be loaded again: rows are never deleted.
    """
    data = dump_model(model)
    types = trusted_types(data)
    read_model(data, types)
    known = [entry.sequence for entry in earlier if entry.purpose == trained.purpose]
    entry = ModelEntry(
        **vars(trained),
        sequence=max(known, default=0) + 1,
        is_promoted=is_promoted,
        library_versions=library_versions(),
        trusted_types=types,
        model_hash="",
        model=data,
    )
    return replace(entry, model_hash=digest_of(entry.model_id, data))


def load_model(entry: ModelEntry, features: Sequence[ModelFeature]) -> Any:
    """Build the model of an entry, if it is safe and reads these features.

    A model of another major version of scikit-learn is refused. A model of another
    minor version is loaded with a warning: scikit-learn promises nothing, but as a rule
    the predictions are the same. So a daily run continues until the next training.

    Parameters
    ----------
    entry : ModelEntry
        With its file.
    features : sequence of ModelFeature
        The features of the customers to score, from ``features_of``.

    Raises
    ------
    InputError
        If the features differ in name, order or kind from those of the training, the
        major version of scikit-learn differs, the file is damaged, or it holds a type
        that is not listed.
    """
    where = f"model {entry.model_id}"
    _check_features(where, entry.features, features)
    _check_version(where, entry.library_versions.get("scikit-learn", "0"))
    if entry.model is None:
        raise InputError(f"{where}: the file was not read; read the column model")
    _check_file(entry, entry.model)
    with warnings.catch_warnings():
        # the warning above says it once; scikit-learn warns for each estimator
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        try:
            return read_model(entry.model, entry.trusted_types)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error


def _entry_of(row: Mapping[str, Any]) -> ModelEntry:
    """Return the entry in a row, which must be the one that its id says."""
    row_id = row["model_id"]
    with MODELS.reading(row_id):
        entry = ModelEntry.from_row(row)
    if entry.model_id != row_id:
        raise MODELS.error(row_id, f"its row was edited, and is of {entry.model_id}")
    return entry


def _check_file(entry: ModelEntry, file: bytes) -> None:
    """Raise an `InputError` if a file is damaged, or is that of another model."""
    if digest_of(entry.model_id, file) == entry.model_hash:
        return
    if hashlib.sha256(file).hexdigest() == entry.model_hash:
        # a file that says nothing of its purpose may be of any model
        raise InputError(
            f"model {entry.model_id}: was registered by an earlier version, whose "
            f"hashes do not tell what a model is for; {TRAIN_AGAIN}"
        )
    raise MODELS.error(
        entry.model_id, "the file is damaged or that of another model, its hash differs"
    )


def _check_features(
    where: str, stored: Sequence[ModelFeature], given: Sequence[ModelFeature]
) -> None:
    kinds = {feature.name: feature.kind for feature in stored}
    found = {feature.name: feature.kind for feature in given}
    problems = [
        *(f"{name} is missing" for name in kinds if name not in found),
        *(f"{name} is new" for name in found if name not in kinds),
        *(
            f"{name} was of kind {kind} and is of kind {found[name]}"
            for name, kind in kinds.items()
            # a column without a value may be of any kind
            if "unknown" not in (kind, found.get(name, kind))
            and found.get(name, kind) != kind
        ),
    ]
    if not problems and list(kinds) == list(found):
        return
    raise InputError(
        f"{where}: the features differ from those of its training: "
        f"{', '.join(problems) or 'their order is different'}; {TRAIN_AGAIN}"
    )


def _check_version(where: str, trained_with: str) -> None:
    installed = version("scikit-learn")
    trained, ours = (text.split(".") for text in (trained_with, installed))
    if trained[0] != ours[0]:
        raise InputError(
            f"{where}: was trained with scikit-learn {trained_with}, installed is "
            f"{installed}, another major version; {TRAIN_AGAIN}"
        )
    if trained[:2] != ours[:2]:
        warnings.warn(
            f"{where}: was trained with scikit-learn {trained_with}, installed is "
            f"{installed}; {TRAIN_AGAIN}",
            stacklevel=3,
        )
