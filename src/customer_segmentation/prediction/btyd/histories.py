"""Purchase histories as the models read them: checked, grouped and sorted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from customer_segmentation.errors import InputError

__all__ = [
    "Histories",
    "check_customers",
    "check_histories",
    "check_horizon",
    "group",
    "read_numbers",
]

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Histories:
    """Distinct purchase histories, sorted, and how many customers share each.

    Parameters
    ----------
    frequency : array of shape (m,)
        Repeat purchases, without the first purchase.
    recency : array of shape (m,)
        Time from the first purchase to the last, 0 without a repeat purchase. This is
        the recency of these models, not the recency of RFM.
    age : array of shape (m,)
        Time from the first purchase to the end of the history, in the same unit.
    customers : array of shape (m,)
        How many customers have this history.
    """

    frequency: Numbers
    recency: Numbers
    age: Numbers
    customers: Numbers

    @classmethod
    def grouped(
        cls,
        model: str,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        customers: ArrayLike | None = None,
    ) -> Self:
        """Group equal histories, so that a fit reads each of them once.

        Parameters
        ----------
        model : str
            Name of the model, for messages.
        frequency, recency, age : array-like of shape (n,)
            One row per customer, or fewer with `customers`.
        customers : array-like of shape (n,), optional
            How many customers each row stands for, by default one.

        Raises
        ------
        InputError
            If there are no customers, none came back, or a history is impossible.
        """
        columns = check_histories(model, frequency, recency, age)
        counts = check_customers(model, customers, len(columns[0]))
        if not counts.any():
            raise InputError(
                f"{model}: there are no customers to learn from; give some"
            )
        if not (columns[0] * counts).any():
            raise InputError(
                f"{model}: none of these customers came back, so the likelihood has "
                "no maximum; give some with frequency above 0"
            )
        rows, members = group(columns)
        counts = np.bincount(members, weights=counts).astype(float)
        is_used = counts > 0
        frequency, recency, age = (column[rows][is_used] for column in columns)
        return cls(frequency, recency, age, counts[is_used])

    def scaled(self, unit: float) -> Self:
        """Return the same histories with `unit` as the unit of time."""
        return type(self)(
            self.frequency, self.recency / unit, self.age / unit, self.customers
        )

    def thinned(self, max_rows: int) -> Self:
        """Return every n-th history, and at most ``max_rows`` of them."""
        rows = slice(None, None, -(-len(self.age) // max_rows))
        return type(self)(
            self.frequency[rows],
            self.recency[rows],
            self.age[rows],
            self.customers[rows],
        )


def group(columns: Sequence[Numbers]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the distinct rows of columns of equal length.

    Returns
    -------
    rows : array of shape (m,)
        The first position of each distinct row, sorted by the columns.
    members : array of shape (n,)
        The number of the distinct row that each row equals.
    """
    order = np.lexsort(columns[::-1])
    is_new = np.zeros(len(order), dtype=bool)
    is_new[:1] = True
    for column in columns:
        ordered = column[order]
        is_new[1:] |= ordered[1:] != ordered[:-1]
    members = np.empty(len(order), dtype=np.intp)
    members[order] = np.cumsum(is_new) - 1
    return order[is_new], members


def check_histories(
    model: str, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
) -> tuple[Numbers, Numbers, Numbers]:
    """Return histories as arrays of one length, each of them possible.

    Raises
    ------
    InputError
        If a number is missing, infinite or below 0, a frequency is a fraction, the last
        purchase is after the end, or the repeat purchases contradict the recency.
    """
    x = read_numbers(model, "frequency", frequency)
    t = read_numbers(model, "recency", recency)
    end = read_numbers(model, "age", age)
    if not len(x) == len(t) == len(end):
        raise InputError(
            f"{model}: frequency, recency and age have {len(x)}, {len(t)} and "
            f"{len(end)} rows; give one row per customer"
        )
    whole = "frequency is a fraction; give the number of repeat purchases"
    late = (
        "recency is greater than age; recency runs from the first purchase to the "
        "last, age from the first to the end, both in the same unit"
    )
    single = "frequency is 0 but recency is not; give 0 without a repeat purchase"
    at_once = (
        "frequency is above 0 but recency is 0; count all purchases of one moment, or "
        "of one day, as one"
    )
    for is_wrong, why in (
        (x != np.floor(x), whole),
        (t > end, late),
        ((x == 0) & (t > 0), single),
        ((x > 0) & (t == 0), at_once),
    ):
        if is_wrong.any():
            raise InputError(f"{model}: row {int(is_wrong.argmax())}: {why}")
    return x, t, end


def check_customers(model: str, customers: ArrayLike | None, rows: int) -> Numbers:
    """Return how many customers each row stands for, by default one."""
    if customers is None:
        return np.ones(rows)
    counts = read_numbers(model, "customers", customers)
    if len(counts) != rows:
        raise InputError(
            f"{model}: customers has {len(counts)} rows and the others {rows}; give "
            "how many customers each row stands for"
        )
    return counts


def check_horizon(model: str, horizon: float) -> float:
    """Return the horizon as a float, which must be finite and not below 0."""
    [checked] = read_numbers(model, "horizon", [horizon])
    return float(checked)


def read_numbers(model: str, name: str, values: ArrayLike) -> Numbers:
    """Return numbers as an array of shape (n,); refuse ``nan`` and numbers below 0."""
    try:
        numbers: Numbers = pd.Series(np.atleast_1d(values)).to_numpy(
            float, na_value=np.nan
        )
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{model}: {name} holds no numbers ({error}); give some"
        ) from error
    is_wrong = ~(np.isfinite(numbers) & (numbers >= 0))
    if is_wrong.any():
        row = int(is_wrong.argmax())
        raise InputError(
            f"{model}: row {row}: {name} is {numbers[row]:g}; give a finite number "
            "that is not below 0"
        )
    return numbers
