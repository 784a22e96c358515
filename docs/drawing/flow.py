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


STATION = 190
STATIONS = (
    Station(
        "staging",
        230,
        24,
        116,
        (
            "one model per raw table:",
            "renamed, typed, and for each",
            "row why it is rejected",
        ),
    ),
    Station(
        "core",
        445,
        24,
        116,
        ("every source system in the", "same few tables"),
        ("customers", "transactions"),
    ),
    Station(
        "features",
        660,
        24,
        116,
        ("who is measured on which", "dates, by one SQL for all"),
        ("customer_features",),
    ),
    Station(
        "rfm",
        230,
        196,
        130,
        ("scores for recency,", "frequency and money;", "twelve named segments"),
        ("customer_rfm",),
    ),
    Station(
        "segmentation",
        445,
        196,
        130,
        ("searched, judged, fitted,", "assigned, named"),
        ("segments", "customer_segments"),
    ),
    Station(
        "prediction",
        660,
        196,
        130,
        ("tested against a baseline,", "trained, scored"),
        ("customer_predictions",),
    ),
    Station(
        "movement",
        445,
        368,
        130,
        ("history by month, moves,", "who is slipping"),
        ("customer_lifecycle", "segment_migrations"),
    ),
    Station(
        "exploration",
        660,
        368,
        130,
        ("sales, distributions,", "what goes with what"),
        ("monthly_sales", "product_affinities"),
    ),
)


def flow() -> Drawing:
    """Draw how the data flows from raw files through the subjects to BI tools."""
    drawing = Drawing(
        874,
        592,
        "From raw files through eight subjects to the tables that BI tools read",
    )
    drawing.box(24, 24, 170, 116, fill="#f6f8fa", line="#d0d7de")
    drawing.text(109, 48, "raw files", size=15, anchor="middle", bold=True)
    for number, line in enumerate(("Excel, CSV, Parquet", "or warehouse tables")):
        drawing.text(109, 70 + 17 * number, line, colour=FAINT, anchor="middle")
    drawing.text(
        109, 124, "land: text, in Parquet", size=12, colour=FAINT, anchor="middle"
    )
    drawing.path("M194 82H228", arrow=True)
    by_name = {station.name: station for station in STATIONS}
    for first, second in (("staging", "core"), ("core", "features")):
        start, end = by_name[first], by_name[second]
        drawing.path(f"M{start.x + STATION} 82H{end.x - 2}", arrow=True)
    # features are read by all subjects below
    drawing.path("M755 140V168H325", width=1.5)
    for name in ("rfm", "segmentation", "prediction"):
        drawing.path(f"M{by_name[name].x + STATION / 2} 168V194", arrow=True)
    for first, second in (("rfm", "segmentation"), ("segmentation", "prediction")):
        start, end = by_name[first], by_name[second]
        drawing.path(f"M{start.x + STATION} 261H{end.x - 2}", arrow=True)
    for station in STATIONS:
        _draw_station(drawing, station)
    drawing.box(24, 196, 170, 130, fill="#f6f8fa", line="#d0d7de")
    drawing.text(109, 220, "two languages", size=15, anchor="middle", bold=True)
    notes = ("SQL makes features", "and chooses;", "Python fits, trains", "and scores")
    for number, line in enumerate(notes):
        drawing.text(109, 244 + 18 * number, line, colour=FAINT, anchor="middle")
    drawing.box(24, 534, 826, 40, fill="#f6f8fa", line="#d0d7de")
    drawing.text(40, 559, "schema main", size=14, bold=True)
    drawing.text(
        156,
        559,
        "tables with a contract, tested in each build; some are named above",
        colour=FAINT,
    )
    for name in ("movement", "exploration"):
        middle = by_name[name].x + STATION / 2
        drawing.path(f"M{middle} 326V366", arrow=True)
        drawing.path(f"M{middle} 498V532", arrow=True)
    drawing.path("M325 326V532", arrow=True)
    return drawing


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
