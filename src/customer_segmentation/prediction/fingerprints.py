"""Fingerprints: whether rows, and what was made of them, are the same as before."""

import hashlib
import json
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from customer_segmentation.prediction.champion import Recipe

__all__ = ["hash_rows", "library_versions", "training_fingerprint"]

# what a model computes depends on; another version makes another model
LIBRARIES = ("customer-segmentation", "numpy", "scikit-learn", "scipy", "skops")


def library_versions() -> dict[str, str]:
    """Return the versions of what a model's predictions depend on, our code too."""
    python = ".".join(platform.python_version_tuple()[:2])
    versions = {name: version(name) for name in LIBRARIES}
    versions["customer-segmentation"] += f"+{_code_hash()}"
    return {"python": python, **versions}


@cache
def _code_hash() -> str:
    """Return a hash of this package: a model is made by its code of that day."""
    digest = hashlib.md5(usedforsecurity=False)
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


def training_fingerprint(frame: pd.DataFrame, recipe: Recipe) -> str:
    """Return a hash of what makes a model: rows, recipe and library versions.

    Parameters
    ----------
    frame : pandas.DataFrame
        The training rows in any order: keys, features and outcomes.
    recipe : Recipe
        What is fitted to them.
    """
    made_by = [recipe.to_json(), library_versions(), hash_rows(frame)]
    return hashlib.md5(
        json.dumps(made_by, sort_keys=True).encode(), usedforsecurity=False
    ).hexdigest()


def hash_rows(frame: pd.DataFrame) -> str:
    """Return a hash of rows that their order does not change, that of columns does."""
    digest = hashlib.md5("\x1f".join(frame.columns).encode(), usedforsecurity=False)
    columns = {}
    for position, name in enumerate(frame.columns):
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values):
            # there are two zeros
            numbers = values.to_numpy(dtype=float, na_value=np.nan) + 0.0
            columns[position] = numbers
        else:
            texts = values.astype(object).where(values.notna(), "\x1e")
            columns[position] = texts.astype(str).to_numpy(dtype=object)
    hashes = pd.util.hash_pandas_object(pd.DataFrame(columns), index=False)
    digest.update(np.sort(hashes.to_numpy()).tobytes())
    return digest.hexdigest()
