"""The flow of the data, from raw files to the tables that BI tools read."""

from dataclasses import dataclass

from drawing.svg import COLOURS, FAINT, PAPER, Drawing


@dataclass(frozen=True)
class Station:
    """A box of the flow: where it is, what it says, and the tables it publishes."""

    name: str
    x: float
    y: float
    height: float
    lines: tuple[str, ...]
    published: tuple[str, ...] = ()


STATION, HEIGHT = 190, 130
COLUMNS, ROWS = (230, 445, 660), (24, 196, 368)
NAMED = (
    (
        (
            "staging",
            (
                "one model per raw table:",
                "typed, and for each row",
                "why it is rejected",
            ),
        ),
        (
            "core",
            ("every source system in", "the same few tables"),
            "customers",
            "transactions",
        ),
        (
            "products",
            ("categories of products,", "learned from their names"),
            "product_categories",
        ),
    ),
    (
        (
            "features",
            ("who is measured on which", "dates, by one SQL for all"),
            "customer_features",
        ),
        (
            "rfm",
            ("scores for recency,", "frequency and money;", "twelve named segments"),
            "customer_rfm",
        ),
        (
            "segmentation",
            ("searched, judged, fitted,", "assigned, named"),
            "segments",
            "customer_segments",
        ),
    ),
    (
        (
            "prediction",
            ("tested against a baseline,", "trained, scored"),
            "customer_predictions",
            "customer_interests",
        ),
        (
            "movement",
            ("history by month, moves,", "who is slipping"),
            "customer_lifecycle",
            "segment_migrations",
        ),
        (
            "exploration",
            ("sales, distributions,", "what goes with what"),
            "monthly_sales",
            "product_affinities",
        ),
    ),
)
STATIONS = tuple(
    Station(name, x, y, HEIGHT, lines, tuple(published))
    for row, y in zip(NAMED, ROWS, strict=True)
    for (name, lines, *published), x in zip(row, COLUMNS, strict=True)
)


def flow() -> Drawing:
    """Draw how the data flows from raw files through the subjects to BI tools."""
    drawing = Drawing(
        874,
        592,
        "From raw files through ten subjects to the tables that BI tools read",
    )
    _draw_note(
        drawing, ROWS[0], "raw files", ("Excel, CSV, Parquet", "or warehouse tables")
    )
    drawing.text(
        109, 138, "land: text, in Parquet", size=12, colour=FAINT, anchor="middle"
    )
    _draw_note(
        drawing,
        ROWS[1],
        "two languages",
        ("SQL makes features", "and chooses;", "Python fits, trains", "and scores"),
    )
    _draw_note(
        drawing,
        ROWS[2],
        "one order",
        ("a subject reads", "only those", "before it"),
    )
    drawing.path("M194 89H228", arrow=True)
    for y in ROWS:
        for x in COLUMNS[:-1]:
            drawing.path(f"M{x + STATION} {y + 65}H{x + 213}", arrow=True)
    for y in ROWS[:-1]:
        below = y + HEIGHT
        drawing.path(f"M755 {below}V{below + 21}H325V{below + 40}", arrow=True)
    for station in STATIONS:
        _draw_station(drawing, station)
    drawing.box(24, 534, 826, 40, fill="#f6f8fa", line="#d0d7de")
    drawing.text(40, 559, "serving", size=14, bold=True)
    drawing.text(
        110,
        559,
        "one row per customer, metrics, campaigns, tables that passed tests, a report",
        colour=FAINT,
    )
    for x in COLUMNS:
        drawing.path(f"M{x + STATION / 2} 498V532", arrow=True)
    return drawing


def _draw_note(drawing: Drawing, y: float, title: str, lines: tuple[str, ...]) -> None:
    drawing.box(24, y, 170, HEIGHT, fill="#f6f8fa", line="#d0d7de")
    drawing.text(109, y + 24, title, size=15, anchor="middle", bold=True)
    for number, line in enumerate(lines):
        drawing.text(109, y + 48 + 18 * number, line, colour=FAINT, anchor="middle")


def _draw_station(drawing: Drawing, station: Station) -> None:
    colour = COLOURS[station.name]
    x, y = station.x, station.y
    drawing.box(x, y, STATION, station.height, fill=colour, opacity=0.07, line=colour)
    drawing.box(x, y, STATION, 30, fill=colour)
    drawing.text(
        x + STATION / 2,
        y + 21,
        station.name,
        size=15,
        colour=PAPER,
        anchor="middle",
        bold=True,
    )
    for number, line in enumerate(station.lines):
        drawing.text(x + 10, y + 50 + 17 * number, line)
    first = y + station.height - 12 - 17 * (len(station.published) - 1)
    for number, table in enumerate(station.published):
        drawing.text(x + 10, first + 17 * number, table, colour=colour, bold=True)
