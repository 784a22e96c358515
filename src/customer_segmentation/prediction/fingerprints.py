"""Fingerprints: whether the rows and the recipe of a model are the same as before."""

import hashlib
import json
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from customer_segmentation.prediction.entries import Recipe

__all__ = ["hash_rows", "library_versions", "training_fingerprint"]

# the libraries that the predictions of a model depend on
LIBRARIES = ("customer-segmentation", "numpy", "scikit-learn", "scipy", "skops")
NULL = "\x1e"
SEPARATOR = "\x1f"


def library_versions() -> dict[str, str]:
    """Return the versions of Python, the libraries and the code of predictions."""
    python = ".".join(platform.python_version_tuple()[:2])
    versions = {name: version(name) for name in LIBRARIES}
    versions["customer-segmentation"] += f"+{_code_hash()}"
    return {"python": python, **versions}


@cache
def _code_hash() -> str:
    """Return a hash of the code of predictions, which makes the models."""
    digest = hashlib.md5(usedforsecurity=False)
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


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
