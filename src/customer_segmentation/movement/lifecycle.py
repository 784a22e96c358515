"""The steps that the dbt Python models of the lifecycle run.

``histories`` is the relation ``int_movement__histories``, and ``fits`` is
``int_movement__rhythm_fits``. ``variables`` has ``lifecycle_horizon_days``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.errors import InputError
from customer_segmentation.movement.rhythm import (
    PARAMETERS,
    BuyingHistories,
    Rhythm,
    level_shift,
)
from customer_segmentation.parallel import single_threaded

__all__ = ["RHYTHMS", "RHYTHM_FITS", "fit_rhythms", "score_rhythms"]

RHYTHM_FITS = pa.schema(
    [
        ("source_system", pa.string()),
        ("as_of_date", pa.date32()),
        ("horizon_days", pa.int32()),
        ("customers", pa.int64()),
        *((name, pa.float64()) for name in PARAMETERS),
        ("expected_return_share", pa.float64()),
        ("return_share", pa.float64()),
        ("level_shift", pa.float64()),
    ]
)
RHYTHMS = pa.schema(
    [
        ("customer_key", pa.string()),
        ("source_system", pa.string()),
        ("as_of_date", pa.date32()),
        ("horizon_days", pa.int32()),
        ("usual_interval_days", pa.float64()),
        ("alive_probability", pa.float64()),
        ("return_probability", pa.float64()),
        ("momentum", pa.float64()),
        ("earlier_momentum", pa.float64()),
    ]
)
KEY = ["customer_key", "as_of_date"]
# of BuyingHistories, in order
MEASURES = (
    *("repeat_purchases", "buying_span_days"),
    *("purchase_age_days", "last_interval_days"),
)
YEAR = timedelta(days=365)
# a season a year before is told by a date at most so far from it
SEASON_TOLERANCE = timedelta(days=31)
# the last bits of a sum depend on the other rows of the batch
DECIMALS = 9


@dataclass(frozen=True)
class RhythmFit:
    """The rhythm of a source system as of a date.

    Parameters
    ----------
    source_system : str
        Whose customers were learned from.
    as_of_date : date
        What happened on or after it was not known.
    horizon_days : int
        How far ahead a return counts.
    rhythm : Rhythm
        Without a season.
    level_shift : float or None
        How the level of the season differed; None while the horizon is open.
    """

    source_system: str
    as_of_date: date
    horizon_days: int
    rhythm: Rhythm
    level_shift: float | None

    @property
    def horizon_end(self) -> date:
        """The date from which on it is known who came back."""
        return self.as_of_date + timedelta(days=self.horizon_days)


@dataclass(frozen=True)
class RhythmScorer:
    """Scores the histories of a batch; engines copy it to workers."""

    fits: tuple[RhythmFit, ...]

    @classmethod
    def read(cls, fits: engine.Relation) -> Self:
        """Read the fits of all source systems."""
        columns = [
            *("source_system", "as_of_date", "horizon_days", *PARAMETERS),
            "level_shift",
        ]
        rows = engine.read(fits, columns, order_by=["source_system", "as_of_date"])
        return cls(
            tuple(
                RhythmFit(
                    row["source_system"],
                    pd.Timestamp(row["as_of_date"]).date(),
                    int(row["horizon_days"]),
                    Rhythm(*(float(row[name]) for name in PARAMETERS)),
                    None if pd.isna(row["level_shift"]) else float(row["level_shift"]),
                )
                for row in rows.to_dict("records")
            )
        )

    def fit_for(self, source_system: str, as_of_date: date) -> RhythmFit | None:
        """Return the last fit that knew no more, with the season of a year before."""
        own = [fit for fit in self.fits if fit.source_system == source_system]
        known = [fit for fit in own if fit.as_of_date <= as_of_date]
        if not known:
            return None
        last = max(known, key=lambda fit: fit.as_of_date)
        seasons = [
            (abs(fit.as_of_date - (as_of_date - YEAR)), fit.level_shift)
            for fit in known
            if fit.level_shift is not None
            and fit.horizon_days == last.horizon_days
            and fit.horizon_end <= as_of_date
        ]
        distance, shift = min(seasons, default=(YEAR, 0.0))
        if distance > SEASON_TOLERANCE:
            return last
        return replace(last, rhythm=replace(last.rhythm, shift=shift))

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Return ``RHYTHMS`` of the customers whose source system has a fit."""
        frame = engine.to_frame(batch)
        frame["as_of_date"] = pd.to_datetime(frame["as_of_date"])
        tables = [RHYTHMS.empty_table()]
        for (source_system, as_of), rows in frame.groupby(
            ["source_system", "as_of_date"], sort=True
        ):
            if fit := self.fit_for(source_system, as_of.date()):
                tables.append(_scored(rows, fit))
        return pa.concat_tables(tables)


def fit_rhythms(histories: engine.Relation, variables: Mapping[str, Any]) -> pa.Table:
    """Fit the rhythm of each source system as of today and as of past dates.

    Past dates are those whose horizon has ended. They tell how well the model knew who
    would come back, and how the level of the season differed.

    Returns
    -------
    pyarrow.Table
        ``RHYTHM_FITS``: one row per source system and date. A source system has none
        while no customer has come back.

    Raises
    ------
    InputError
        If the horizon is no number of days.
    """
    horizon = read_horizon(variables)
    rows = engine.read(
        histories,
        [
            *(*KEY, "source_system", *MEASURES),
            *("is_today", "days_to_return", "observed_days"),
        ],
        order_by=KEY,
        where={"is_training_customer": True},
    )
    rows = rows[rows["is_today"] | (rows["observed_days"] >= horizon)]
    fits = [
        _fitted(str(source_system), as_of_date, cohort, horizon)
        for (source_system, as_of_date), cohort in rows.groupby(
            ["source_system", "as_of_date"], sort=True
        )
        if cohort["repeat_purchases"].any()
    ]
    return pa.Table.from_pylist(fits, RHYTHM_FITS)


def score_rhythms(histories: engine.Relation, fits: engine.Relation) -> engine.Stream:
    """Say how much of its rhythm each customer has left, today and on past dates.

    Returns
    -------
    engine.Stream
        ``RHYTHMS``: one row per customer and date whose source system has a fit.
    """
    scorer = RhythmScorer.read(fits)
    return engine.map_batches(
        histories, [*KEY, "source_system", *MEASURES], scorer, RHYTHMS
    )


def read_horizon(variables: Mapping[str, Any]) -> int:
    """Return the var ``lifecycle_horizon_days``."""
    horizon = variables["lifecycle_horizon_days"]
    if not isinstance(horizon, int) or isinstance(horizon, bool) or horizon < 1:
        raise InputError(
            f"the var lifecycle_horizon_days is {horizon!r}: write a number of days "
            "from 1 on"
        )
    return horizon


@single_threaded()
def _fitted(
    source_system: str, as_of_date: date, cohort: pd.DataFrame, horizon: int
) -> dict[str, Any]:
    """Return a row of ``RHYTHM_FITS``."""
    histories = _histories(cohort)
    rhythm = Rhythm.fit(histories)
    expected = rhythm.return_probability(histories, horizon)
    row = {
        "source_system": source_system,
        "as_of_date": pd.Timestamp(as_of_date).date(),
        "horizon_days": horizon,
        "customers": len(cohort),
        **{name: getattr(rhythm, name) for name in PARAMETERS},
        "expected_return_share": float(expected.mean()),
    }
    if cohort["observed_days"].min() >= horizon:
        returned = (cohort["days_to_return"] < horizon).to_numpy(dtype=bool)
        row["return_share"] = float(returned.mean())
        row["level_shift"] = level_shift(expected, returned)
    return row


@single_threaded()
def _scored(rows: pd.DataFrame, fit: RhythmFit) -> pa.Table:
    histories = _histories(rows)
    rhythm, horizon = fit.rhythm, fit.horizon_days
    earlier = rhythm.momentum(histories.before_last_purchase(), horizon)
    scores = {
        "usual_interval_days": rhythm.usual_interval(histories),
        "alive_probability": rhythm.alive_probability(histories),
        "return_probability": rhythm.return_probability(histories, horizon),
        "momentum": rhythm.momentum(histories, horizon),
        "earlier_momentum": np.where(histories.repeats > 0, earlier, np.nan),
    }
    columns = {
        "customer_key": rows["customer_key"],
        "source_system": rows["source_system"],
        "as_of_date": rows["as_of_date"].dt.date,
        "horizon_days": np.full(len(rows), fit.horizon_days),
        **{name: np.round(one, DECIMALS) for name, one in scores.items()},
    }
    arrays = [
        pa.array(columns[field.name], field.type, from_pandas=True) for field in RHYTHMS
    ]
    return pa.Table.from_arrays(arrays, schema=RHYTHMS)


def _histories(rows: pd.DataFrame) -> BuyingHistories:
    return BuyingHistories(
        *(rows[name].fillna(0).to_numpy(dtype=float) for name in MEASURES)
    )
