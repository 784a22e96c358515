"""A stored fit that is doubled, incomplete or edited is one error with its id."""

import json
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from customer_segmentation.errors import InputError
from customer_segmentation.products import tables as of_products
from customer_segmentation.products.fits import FittedCategories, Term
from customer_segmentation.products.kinds import NO_KINDS
from customer_segmentation.products.space import TermSpace
from customer_segmentation.segmentation import tables as of_segments
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.declare import Feature, Segmentation
from customer_segmentation.segmentation.fits import FittedSegmentation, fit_segmentation
from customer_segmentation.stored import CATEGORY_FITS, SEGMENTATION_FITS, sealed

Change = Callable[[pd.DataFrame], pd.DataFrame]
WAY_OUT = {
    "segmentation": "; delete it as docs/segmentations.md shows, then build all",
    "products": "; delete it as docs/products.md shows, then build all",
}
NAMES = {"segmentation": "int_segmentation__fits", "products": "int_products__fits"}


def categories() -> FittedCategories:
    """Return two categories of four products."""
    space = TermSpace.fit([["mug", "red"], ["mug", "blue"], ["lamp"], ["lamp", "red"]])
    return FittedCategories(
        kinds=NO_KINDS,
        space=space,
        ids=(1, 2),
        names={1: "Mug", 2: "Lamp"},
        centres=np.array(space.transform([["mug"], ["lamp"]])),
        terms={1: (Term("mug", 1.0, 2.0),), 2: (Term("lamp", 1.0, 2.0),)},
        is_own=False,
    )


def segments() -> FittedSegmentation:
    """Return two segments of forty customers."""
    spent = np.tile([10.0, 900.0], 20) + np.arange(40)
    frame = pd.DataFrame({"monetary": spent})
    declared = Segmentation(
        name="who",
        source_system="shop",
        features=(Feature("monetary", "standard"),),
    )
    return fit_segmentation(frame, declared, Candidate("kmeans", "k", 2))[0]


def rows_of(kind: str) -> pd.DataFrame:
    """Return two stored fits, as the tables have them."""
    if kind == "segmentation":
        record = of_segments.FitRecord(
            *("who:1", "who", "shop", 1, None, 40, 0, "f", "kmeans", "k=2", 2, 2, None)
        )
        other = of_segments.FitRecord(
            *("how:1", "how", "shop", 1, None, 40, 0, "f", "kmeans", "k=2", 2, 2, None)
        )
        fits = of_segments.fit_table([(record, segments()), (other, segments())])
        return fits.to_pandas()
    text = categories().to_json()
    return pd.DataFrame(
        {
            "fit_id": ["shop:1", "mall:1"],
            "source_system": ["shop", "mall"],
            "fit_number": 1,
            "fingerprint": "f",
            "max_category_id": 2,
            "model": [sealed(text, "shop:1"), sealed(text, "mall:1")],
        }
    )


def read(kind: str, rows: pd.DataFrame) -> list[Any]:
    """Read all fits, with their models."""
    tables = {"segmentation": of_segments, "products": of_products}[kind]
    with duckdb.connect() as connection:
        connection.register("fits", rows)
        relation = connection.table("fits")
        records = tables.read_last_fits(relation).values()
        return [tables.read_model(relation, one.fit_id) for one in records]


def with_model(change: Callable[[dict[str, Any]], object]) -> Change:
    """Return what changes the JSON of the first fit."""

    def changed(rows: pd.DataFrame) -> pd.DataFrame:
        stored = json.loads(rows["model"][0])
        change(stored)
        return rows.assign(model=[json.dumps(stored), *rows["model"][1:]])

    return changed


def edited(stored: dict[str, Any]) -> None:
    """Change a number, as a person would who wants another segment or category."""
    if "ids" in stored:
        stored["centres"][0][0] += 1e-9
    else:
        stored["centres"]["1"]["monetary"] += 1e-9


def swapped(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(model=rows["model"].to_numpy()[::-1])


@pytest.mark.parametrize("kind", ["segmentation", "products"])
def test_fits_come_back_as_they_were_stored(kind: str) -> None:
    rows = rows_of(kind)
    expected = {"segmentation": segments, "products": categories}[kind]().to_json()
    assert [one.to_json() for one in read(kind, rows)] == [expected, expected]
    # a fit of before seals
    before = with_model(lambda stored: stored.pop("seal"))(rows)
    assert [one.to_json() for one in read(kind, before)] == [expected, expected]


@pytest.mark.parametrize("kind", ["segmentation", "products"])
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda rows: pd.concat([rows, rows.iloc[:1]]), "{table} has 2 rows of it"),
        (
            lambda rows: rows.assign(fingerprint=[None, "f"]),
            "{table} has no fingerprint for it",
        ),
        (
            lambda rows: rows.assign(model=[None, rows["model"][1]]),
            "{table} has no model for it",
        ),
        (
            lambda rows: rows.assign(model=["{", rows["model"][1]]),
            "its row in {table} cannot be read (JSONDecodeError: Expecting property "
            "name enclosed in double quotes: line 1 column 2 (char 1))",
        ),
        (
            lambda rows: rows.assign(model=["{}", rows["model"][1]]),
            "its row in {table} cannot be read (KeyError: ",
        ),
        (
            lambda rows: rows.assign(model=["[]", rows["model"][1]]),
            "its row in {table} cannot be read (TypeError: ",
        ),
        (with_model(edited), "its model in {table} is not the one that was stored"),
        (swapped, "its model in {table} is not the one that was stored"),
    ],
)
def test_a_row_that_cannot_be_used_is_one_error(
    kind: str, change: Change, problem: str
) -> None:
    rows = rows_of(kind)
    with pytest.raises(InputError) as raised:
        read(kind, change(rows))
    said = str(raised.value)
    noun = {"segmentation": "fit", "products": "fit of categories"}[kind]
    # sorted by name, so swapped fits are found at the one that comes first
    ids = [rows["fit_id"][0], rows["fit_id"][1]]
    starts = [f"{noun} {one}: {problem.format(table=NAMES[kind])}" for one in ids]
    assert said.startswith(tuple(starts if change is swapped else starts[:1]))
    assert said.endswith(WAY_OUT[kind])
    assert "\n" not in said


@pytest.mark.parametrize("kind", ["segmentation", "products"])
def test_a_fit_without_an_id_is_an_error(kind: str) -> None:
    rows = rows_of(kind)
    with pytest.raises(InputError, match=r"without an id: int_.* has no fit_id for it"):
        read(kind, rows.assign(fit_id=[None, rows["fit_id"][1]]))


@pytest.mark.parametrize("table", [SEGMENTATION_FITS, CATEGORY_FITS])
def test_a_fit_that_is_gone_is_an_error(table: Any) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table fits (fit_id varchar, model varchar)")
        with pytest.raises(InputError, match=r"fit.* who:1: int_.* has no row of it"):
            table.open_fit(connection.table("fits"), "who:1", json.loads)
