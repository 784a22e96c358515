"""What earlier builds stored: each row is there once, whole, and as it was written.

Fits and models are kept from build to build, so a person may have edited them, and a
restored backup may have doubled them. Each such row is an error with its id and the way
out; nothing is assigned or scored by it.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd

from customer_segmentation import engine
from customer_segmentation.errors import InputError

__all__ = [
    "CATEGORY_FITS",
    "MODELS",
    "SEGMENTATION_FITS",
    "StoredTable",
    "digest_of",
    "sealed",
]

Read = TypeVar("Read")
# beside the keys of a fit
SEAL = "seal"


@dataclass(frozen=True)
class StoredTable:
    """A table to which builds append.

    Parameters
    ----------
    name : str
        Its dbt model.
    key : str
        The column that identifies a row.
    noun : str
        What a row is.
    way_out : str
        What to do about a row that cannot be used.
    optional : tuple of str
        Columns that may be null.
    """

    name: str
    key: str
    noun: str
    way_out: str
    optional: tuple[str, ...] = ()

    def error(self, row_id: object, problem: str) -> InputError:
        """Return the error for a row."""
        return InputError(f"{self.noun} {row_id}: {problem}; {self.way_out}")

    def check(self, rows: pd.DataFrame) -> None:
        """Raise an `InputError` if rows have nulls, or two of them the same key."""
        if rows[self.key].isna().any():
            raise self.error("without an id", f"{self.name} has no {self.key} for it")
        counts = rows[self.key].value_counts().sort_index()
        if doubled := counts[counts > 1].to_dict():
            row_id, count = next(iter(doubled.items()))
            raise self.error(row_id, f"{self.name} has {count} rows of it")
        is_null = rows.drop(columns=list(self.optional), errors="ignore").isna()
        for row_id, row in zip(rows[self.key], is_null.to_numpy(), strict=True):
            if row.any():
                missing = ", ".join(is_null.columns[row])
                raise self.error(row_id, f"{self.name} has no {missing} for it")

    @contextmanager
    def reading(self, row_id: object) -> Iterator[None]:
        """Turn what goes wrong with the texts of a row into an `InputError`."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise self.error(
                row_id,
                f"its row in {self.name} cannot be read ({type(error).__name__}: "
                f"{error})",
            ) from error

    def one(
        self, relation: engine.Relation, row_id: str, *columns: str
    ) -> Mapping[str, Any]:
        """Read the one row with an id.

        Raises
        ------
        InputError
            If there is no such row, there are several, or it has nulls.
        """
        rows = engine.read(
            relation,
            list(dict.fromkeys([self.key, *columns])),
            order_by=self.key,
            where={self.key: row_id},
        )
        if rows.empty:
            raise self.error(row_id, f"{self.name} has no row of it")
        self.check(rows)
        row: Mapping[str, Any] = rows.to_dict("records")[0]
        return row

    def open_fit(
        self, relation: engine.Relation, row_id: str, read: Callable[[str], Read]
    ) -> Read:
        """Read the fit that `sealed` wrote into the column ``model``.

        Parameters
        ----------
        relation : engine.Relation
            The table.
        row_id : str
            The id of the fit.
        read : callable
            Makes the fit of its JSON.

        Raises
        ------
        InputError
            If the fit was changed since, belongs to another id, or cannot be read.
        """
        text = self.one(relation, row_id, "model")["model"]
        with self.reading(row_id):
            stored = json.loads(text)
            # fits of before seals have none
            seal = stored.pop(SEAL, None)
            is_intact = seal in (None, digest_of(row_id, json.dumps(stored).encode()))
            fit = read(text) if is_intact else None
        if fit is None:
            raise self.error(
                row_id, f"its model in {self.name} is not the one that was stored"
            )
        return fit


SEGMENTATION_FITS = StoredTable(
    *("int_segmentation__fits", "fit_id", "fit"),
    "delete it as docs/segmentations.md shows, then build all",
    optional=("as_of_date", "reduction_ari"),
)
CATEGORY_FITS = StoredTable(
    *("int_products__fits", "fit_id", "fit of categories"),
    "delete it as docs/products.md shows, then build all",
)
MODELS = StoredTable(
    *("int_prediction__models", "model_id", "model"),
    "delete it as docs/predictions.md shows, then train it again: dbt build --select "
    "tag:train+",
)


def sealed(text: str, row_id: str) -> str:
    """Return the JSON of a fit with a seal, which tells edits and swapped fits.

    Examples
    --------
    >>> sealed('{"k": 3}', "mall.1")[:17]
    '{"k": 3, "seal": '
    """
    return json.dumps(json.loads(text) | {SEAL: digest_of(row_id, text.encode())})


def digest_of(row_id: str, content: bytes) -> str:
    """Return the SHA-256 of what is stored and of the id that it is stored under."""
    return hashlib.sha256(row_id.encode() + b"\x1f" + content).hexdigest()
