"""Results of databases that are built: segments, and tests of predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import click
import duckdb

from drawing.svg import COLOURS, FAINT, Drawing

MARGIN = 24
# of segments, for readers who do not see some colours too
PALETTE = ("#0072b2", "#d55e00", "#6e7781", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
MALL = "mall_income_score"


def mall(database: Path) -> Drawing:
    """Draw the segments of the mall by income and spending score."""
    query = """
        select
            segments.segment_id,
            segments.segment_name,
            segments.customers,
            segments.verdict,
            features.annual_income,
            features.spending_score
        from main.customer_segments as customers
        inner join main.segments using (segmentation, segment_id)
        inner join main.customer_features as features
            on customers.customer_key = features.customer_key
        where customers.segmentation = ?
        order by segments.segment_id, features.customer_key
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(query, [MALL]).fetchall()
    if not rows:
        raise click.ClickException(f"{database}: has no customers in {MALL}")
    chart = Chart(
        Drawing(760, 456, f"The segments of {MALL} by income and spending score"),
        right=max(float(row[4]) for row in rows) * 1.05,
        top=100,
        room=250,
    )
    chart.axes("annual income, thousands", "spending score", (0, 50, 100), (0, 50, 100))
    groups = [list(group) for _, group in groupby(rows, key=lambda row: row[:4])]
    for colour, group in zip(PALETTE, groups, strict=False):
        for row in group:
            chart.drawing.dot(*chart.at(float(row[4]), float(row[5])), 4.5, colour)
    drawing = chart.drawing
    drawing.text(MARGIN, 32, f"{MALL}: verdict {rows[0][3]}", size=15, bold=True)
    for number, (colour, group) in enumerate(zip(PALETTE, groups, strict=False)):
        y = 96 + 48 * number
        drawing.dot(536, y - 4, 6, colour)
        drawing.text(550, y, group[0][1], size=13)
        drawing.text(550, y + 17, f"{group[0][2]} customers", size=12, colour=FAINT)
    return drawing


def calibration(database: Path) -> Drawing:
    """Draw predicted and actual spend of existing customers, baseline and champion."""
    query = """
        select algorithm, is_baseline, horizon_days, decile, predicted, actual
        from main.prediction_calibration
        where
            task = 'next_purchases' and population = 'existing' and split = 'test'
            and outcome = 'spend' and (is_baseline or is_champion)
        qualify horizon_days = max(horizon_days) over ()
        order by is_baseline desc, algorithm, decile
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(query).fetchall()
    if not rows:
        raise click.ClickException(f"{database}: has no test of existing customers")
    # all but the highest decile, which would flatten the others
    shown = [row for row in rows if row[3] < max(row[3] for row in rows)]
    limit = 1.1 * max(max(row[4], row[5]) for row in shown)
    drawing = Drawing(
        760, 456, "Predicted and actual spend of existing customers by decile"
    )
    chart = Chart(drawing, right=limit, top=limit, room=250)
    ticks = tuple(range(0, int(limit) + 1, 500 if limit < 3_000 else 1_000))
    chart.axes("predicted mean spend", "actual mean spend", ticks, ticks)
    start, end = chart.at(0, 0), chart.at(limit, limit)
    drawing.path(
        f"M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}",
        dashes="5 4",
        width=1,
    )
    days = rows[0][2]
    drawing.text(
        MARGIN, 32, f"spend in the next {days} days, by decile", size=15, bold=True
    )
    groups = groupby(shown, key=lambda row: row[:2])
    for number, (colour, ((algorithm, is_baseline), group)) in enumerate(
        zip((FAINT, COLOURS["prediction"]), groups, strict=False)
    ):
        places = [chart.at(row[4], row[5]) for row in group]
        drawing.path(
            "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places), colour=colour
        )
        for x, y in places:
            drawing.dot(x, y, 5, colour)
        y = 96 + 48 * number
        drawing.dot(536, y - 4, 6, colour)
        drawing.text(550, y, algorithm, size=13)
        drawing.text(
            550,
            y + 17,
            "baseline" if is_baseline else "champion",
            size=12,
            colour=FAINT,
        )
    drawing.path("M528 192h18", dashes="5 4", width=1)
    drawing.text(550, 196, "as predicted", size=13)
    drawing.text(536, 240, "Deciles 1 to 9 are shown.", size=12, colour=FAINT)
    return drawing


@dataclass(frozen=True)
class Chart:
    """A field of two axes from 0, with room on its right for names."""

    drawing: Drawing
    right: float
    top: float
    room: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of a value in the drawing."""
        width = self.drawing.width - self.room - 70
        height = self.drawing.height - 136
        bottom = self.drawing.height - 60
        return 70 + width * x / self.right, bottom - height * y / self.top

    def axes(
        self, below: str, beside: str, x_ticks: Sequence[int], y_ticks: Sequence[int]
    ) -> None:
        """Draw both axes, their ticks and their names."""
        left, bottom = self.at(0, 0)
        right, top = self.at(self.right, self.top)
        for tick in y_ticks:
            _, y = self.at(0, tick)
            self.drawing.path(f"M{left} {y:.1f}H{right:.1f}", colour="#d8dee4", width=1)
            self.drawing.text(
                left - 8, y + 4, f"{tick:,}", size=12, colour=FAINT, anchor="end"
            )
        for tick in x_ticks:
            x, _ = self.at(tick, 0)
            self.drawing.path(f"M{x:.1f} {bottom}V{top:.1f}", colour="#d8dee4", width=1)
            self.drawing.text(
                x, bottom + 18, f"{tick:,}", size=12, colour=FAINT, anchor="middle"
            )
        self.drawing.text(
            (left + right) / 2, bottom + 42, below, size=13, anchor="middle"
        )
        self.drawing.text(left - 46, top - 12, beside, size=13)
