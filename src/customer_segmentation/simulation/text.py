"""Numbers and dates to text, column by column: raw files hold nothing else."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def picked(values: list[str], indices: np.ndarray) -> pa.Array:
    """Return ``values[indices]`` as text; a negative index is a blank."""
    blank = indices < 0
    return pa.array(values, pa.string()).take(
        pa.array(np.where(blank, 0, indices), mask=blank)
    )


def whole_numbers(
    values: np.ndarray, *, blank: np.ndarray | None = None, suffix: str = ""
) -> pa.Array:
    """Return integers as text, with an optional suffix such as ``.0``."""
    text = pa.array(values, mask=blank).cast(pa.string())
    if not suffix:
        return text
    return pc.binary_join_element_wise(text, suffix, "")


def formatted(
    values: np.ndarray,
    template: Callable[[int], str],
    *,
    blank: np.ndarray | None = None,
) -> pa.Array:
    """Return integers as text by a template, called once for each distinct value."""
    encoded = pa.array(values, mask=blank).dictionary_encode()
    distinct = [template(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(distinct, pa.string()).take(encoded.indices)


def dates(values: np.ndarray, *, blank: np.ndarray | None = None) -> pa.Array:
    """Return ``datetime64[D]`` as ``YYYY-MM-DD``."""
    return pa.array(values.astype("datetime64[D]"), mask=blank).cast(pa.string())


def timestamps(values: np.ndarray) -> pa.Array:
    """Return ``datetime64[s]`` as ``YYYY-MM-DD HH:MM:SS``."""
    return pa.array(values.astype("datetime64[s]")).cast(pa.string())


def amounts(cents: np.ndarray, *, blank: np.ndarray | None = None) -> pa.Array:
    """Return hundredths as text with two decimals."""
    return formatted(
        cents,
        lambda value: f"{'-' * (value < 0)}{abs(value) // 100}.{abs(value) % 100:02d}",
        blank=blank,
    )
