"""The registry of models: what is entered, who is champion, and what may be loaded."""

import hashlib
import warnings
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

from sklearn.exceptions import InconsistentVersionWarning

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.champion import Recipe
from customer_segmentation.prediction.entries import ModelEntry, Purpose, Trained
from customer_segmentation.prediction.feature_kinds import Feature
from customer_segmentation.prediction.fingerprints import library_versions
from customer_segmentation.prediction.model_files import (
    dump_model,
    read_model,
    trusted_types,
)

__all__ = ["champions_of", "has_challenged", "load_model", "register"]

TRAIN_ANEW = "train it anew: dbt build --select tag:train"


def register(
    trained: Trained,
    model: object,
    earlier: Sequence[ModelEntry],
    *,
    is_champion: bool,
) -> ModelEntry:
    """Return the entry of a model that has been trained.

    Parameters
    ----------
    trained : Trained
        What is known of it.
    model : object
        Fitted; see ``dump_model`` for what it may be made of.
    earlier : sequence of ModelEntry
        The registry so far.
    is_champion : bool
        Whether it is the first of its purpose, or replaces the champion.

    Raises
    ------
    InputError
        If the model could not be loaded again: a row is never taken back.
    """
    data = dump_model(model)
    types = trusted_types(data)
    read_model(data, types)
    known = [entry.sequence for entry in earlier if entry.purpose == trained.purpose]
    return ModelEntry(
        **vars(trained),
        sequence=max(known, default=0) + 1,
        is_champion=is_champion,
        library_versions=library_versions(),
        trusted_types=types,
        model_hash=hashlib.sha256(data).hexdigest(),
        model=data,
    )


def has_challenged(
    champion: ModelEntry,
    recipe: Recipe,
    fingerprint: str,
    entries: Iterable[ModelEntry],
) -> bool:
    """Tell whether a model of this making is the champion, or has lost to it.

    Then it need not be trained again. One that was champion before this one, or lost to
    another, may win now.
    """
    return any(
        entry.purpose == champion.purpose
        and entry.sequence >= champion.sequence
        and entry.recipe.algorithm == recipe.algorithm
        and entry.fingerprint == fingerprint
        for entry in entries
    )


def champions_of(entries: Iterable[ModelEntry]) -> dict[Purpose, ModelEntry]:
    """Return the champion of each purpose: the last that became one.

    Of those of several days the last day's: a build of an earlier day leaves its
    models in the registry too.
    """
    in_order = sorted(entries, key=lambda entry: (entry.trained_as_of, entry.sequence))
    return {entry.purpose: entry for entry in in_order if entry.is_champion}


def load_model(entry: ModelEntry, features: Sequence[Feature]) -> Any:
    """Build the model of an entry, if it is safe and fits what it is to predict from.

    Another major version of scikit-learn is refused. Another minor version, newer or
    older, is loaded with a warning: scikit-learn promises nothing there, but as a rule
    the model predicts what it did. So a daily run goes on until the next training.

    Parameters
    ----------
    entry : ModelEntry
        With its model.
    features : sequence of Feature
        What the customers to be scored have, from ``features_of``.

    Raises
    ------
    InputError
        If the features differ in name, order or kind from those trained on, the major
        version of scikit-learn differs, the file is damaged, or it holds a type that is
        not listed.
    """
    where = f"model {entry.model_id}"
    _check_features(where, entry.features, features)
    _check_version(where, entry.library_versions.get("scikit-learn", "0"))
    if entry.model is None:
        raise InputError(f"{where}: the file was not read; read the column model")
    if hashlib.sha256(entry.model).hexdigest() != entry.model_hash:
        raise InputError(
            f"{where}: the file is damaged, its hash is another; delete its row from "
            f"the registry, then {TRAIN_ANEW}"
        )
    with warnings.catch_warnings():
        # one warning says it, not one for each estimator
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        try:
            return read_model(entry.model, entry.trusted_types)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error


def _check_features(
    where: str, stored: Sequence[Feature], given: Sequence[Feature]
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
        f"{where}: the features are not those it was trained on: "
        f"{', '.join(problems) or 'their order is another'}; {TRAIN_ANEW}"
    )


def _check_version(where: str, trained_with: str) -> None:
    installed = version("scikit-learn")
    trained, ours = (text.split(".") for text in (trained_with, installed))
    if trained[0] != ours[0]:
        raise InputError(
            f"{where}: was trained with scikit-learn {trained_with}, installed is "
            f"{installed}, another major version; {TRAIN_ANEW}"
        )
    if trained[:2] != ours[:2]:
        warnings.warn(
            f"{where}: was trained with scikit-learn {trained_with}, installed is "
            f"{installed}; {TRAIN_ANEW}",
            stacklevel=3,
        )
