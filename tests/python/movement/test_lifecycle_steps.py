"""The steps of the lifecycle, on relations: which fit scores whom, and odd shops."""

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from customer_segmentation.errors import InputError
from customer_segmentation.movement import fit_rhythms, score_rhythms
from customer_segmentation.movement.lifecycle import (
    RHYTHM_FITS,
    RHYTHMS,
    RhythmFit,
    RhythmScorer,
    read_horizon,
)
from customer_segmentation.movement.rhythm import Rhythm

VARIABLES = {"lifecycle_horizon_days": 90}
TODAY = date(2024, 6, 1)
PAST = TODAY - timedelta(days=120)
OPEN = TODAY - timedelta(days=30)
HISTORIES = pa.schema(
    [
        ("customer_key", pa.string()),
        ("source_system", pa.string()),
        ("as_of_date", pa.date32()),
        ("is_today", pa.bool_()),
        ("is_training_customer", pa.bool_()),
        ("repeat_purchases", pa.int32()),
        ("buying_span_days", pa.int32()),
        ("purchase_age_days", pa.int32()),
        ("last_interval_days", pa.int32()),
        ("days_to_return", pa.int32()),
        ("observed_days", pa.int32()),
    ]
)


def rows_of(shop: str, as_of: date, customers: int, *, repeats: bool = True) -> list:
    """Return histories of a shop: some customers came back, and some will."""
    rng = np.random.default_rng(customers)
    rows = []
    for number in range(customers):
        count = int(rng.integers(0, 6)) if repeats else 0
        intervals = rng.integers(1, 60, count)
        span = int(intervals.sum())
        observed = (TODAY - as_of).days
        next_day = int(rng.integers(0, 300))
        rows.append(
            {
                "customer_key": f"{shop}:{number:03}",
                "source_system": shop,
                "as_of_date": as_of,
                "is_today": as_of == TODAY,
                "is_training_customer": True,
                "repeat_purchases": count,
                "buying_span_days": span,
                "purchase_age_days": span + int(rng.integers(1, 200)),
                "last_interval_days": int(intervals[-1]) if count else None,
                "days_to_return": next_day if next_day < observed else None,
                "observed_days": observed,
            }
        )
    return rows


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def relation(
    connection: duckdb.DuckDBPyConnection, table: pa.Table
) -> duckdb.DuckDBPyRelation:
    return connection.from_arrow(table)


def test_a_fit_is_made_today_and_where_the_horizon_has_ended(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = [row for day in (PAST, OPEN, TODAY) for row in rows_of("shop", day, 80)]
    histories = pa.Table.from_pylist(rows, HISTORIES)
    fits = fit_rhythms(relation(connection, histories), VARIABLES).to_pylist()
    assert [fit["as_of_date"] for fit in fits] == [PAST, TODAY]
    past, today = fits
    returned = [
        row["days_to_return"] is not None and row["days_to_return"] < 90
        for row in rows
        if row["as_of_date"] == PAST
    ]
    assert past["return_share"] == np.mean(returned)
    assert (past["level_shift"] > 0) == (
        past["return_share"] > past["expected_return_share"]
    )
    assert today["return_share"] is None
    assert today["level_shift"] is None


def test_shops_are_fitted_apart_and_one_where_nobody_came_back_not_at_all(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = [*rows_of("a", TODAY, 50), *rows_of("b", TODAY, 40, repeats=False)]
    histories = relation(connection, pa.Table.from_pylist(rows, HISTORIES))
    fits = fit_rhythms(histories, VARIABLES)
    assert fits["source_system"].to_pylist() == ["a"]
    scored = score_rhythms(histories, relation(connection, fits)).read_all()
    assert set(scored["source_system"].to_pylist()) == {"a"}
    assert scored.num_rows == 50


def test_a_shop_of_one_customer_has_a_rhythm(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    [row] = rows_of("shop", TODAY, 1)
    row |= {"repeat_purchases": 1, "buying_span_days": 9, "last_interval_days": 9}
    histories = relation(connection, pa.Table.from_pylist([row], HISTORIES))
    fits = fit_rhythms(histories, VARIABLES)
    [scored] = (
        score_rhythms(histories, relation(connection, fits)).read_all().to_pylist()
    )
    assert 0 < scored["return_probability"] < 1
    assert 0 < scored["momentum"] <= 1
    assert scored["usual_interval_days"] > 0


def test_no_customers_give_empty_tables(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    histories = relation(connection, HISTORIES.empty_table())
    fits = fit_rhythms(histories, VARIABLES)
    assert fits == RHYTHM_FITS.empty_table()
    scored = score_rhythms(histories, relation(connection, fits)).read_all()
    assert scored == RHYTHMS.empty_table()


def test_scores_do_not_depend_on_the_other_customers_of_a_batch(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    table = pa.Table.from_pylist(rows_of("shop", TODAY, 60), HISTORIES)
    fits = fit_rhythms(relation(connection, table), VARIABLES)
    scorer = RhythmScorer.read(relation(connection, fits))
    whole = scorer(table)
    single = [scorer(table.slice(row, 1)) for row in range(table.num_rows)]
    assert pa.concat_tables(single).equals(whole)


def fit_of(as_of: date, level_shift: float | None, horizon_days: int = 90) -> RhythmFit:
    rhythm = Rhythm(1.0, 60.0, 0.5, 200.0)
    return RhythmFit("shop", as_of, horizon_days, rhythm, level_shift)


@pytest.mark.parametrize(("horizon_days", "shift"), [(365, 0.7), (366, 0.0)])
def test_a_season_is_known_once_its_horizon_has_ended(
    horizon_days: int, shift: float
) -> None:
    year_before = TODAY - timedelta(days=365)
    fits = fit_of(year_before, 0.7, horizon_days), fit_of(TODAY, None, horizon_days)
    assert RhythmScorer(fits).fit_for("shop", TODAY).rhythm.shift == shift


def test_the_last_fit_that_knew_no_more_scores_in_the_season_of_a_year_before() -> None:
    year_before = TODAY - timedelta(days=365)
    fits = (
        fit_of(year_before - timedelta(days=20), 0.1),
        fit_of(year_before + timedelta(days=5), 0.7),
        fit_of(PAST, -0.4),
        fit_of(TODAY, None),
    )
    scorer = RhythmScorer(fits)
    assert scorer.fit_for("shop", TODAY).rhythm.shift == 0.7
    # a daily run that trains nothing has no fit of its day
    later = scorer.fit_for("shop", TODAY + timedelta(days=3))
    assert (later.as_of_date, later.rhythm.shift) == (TODAY, 0.7)
    # a year before was not on record
    past = scorer.fit_for("shop", PAST)
    assert (past.as_of_date, past.rhythm.shift) == (PAST, 0.0)
    assert scorer.fit_for("shop", year_before - timedelta(days=50)) is None
    assert scorer.fit_for("kiosk", TODAY) is None


@pytest.mark.parametrize("horizon", [0, -1, 1.5, "90", True, None])
def test_a_horizon_that_is_no_number_of_days_is_an_error(horizon: object) -> None:
    with pytest.raises(InputError, match="lifecycle_horizon_days"):
        read_horizon({"lifecycle_horizon_days": horizon})
