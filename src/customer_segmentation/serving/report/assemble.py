"""All sections of all source systems, from the published tables."""

from collections.abc import Callable

from customer_segmentation.serving.report.campaigns import campaigns_section
from customer_segmentation.serving.report.choice import choice_section
from customer_segmentation.serving.report.contents import (
    Report,
    Section,
    SourceReport,
)
from customer_segmentation.serving.report.customer_map import map_section
from customer_segmentation.serving.report.distrust import distrust_section
from customer_segmentation.serving.report.exploration import exploration_section
from customer_segmentation.serving.report.findings import findings_section
from customer_segmentation.serving.report.interests import interests_section
from customer_segmentation.serving.report.movement import movement_section
from customer_segmentation.serving.report.playbook import RFM, playbook_section
from customer_segmentation.serving.report.predictions import predictions_section
from customer_segmentation.serving.report.published import (
    MissingMartError,
    PublishedTables,
)
from customer_segmentation.serving.report.quality import data_section, published_words
from customer_segmentation.serving.report.rfm import (
    cells_of,
    customers_section,
    rfm_section,
)
from customer_segmentation.serving.report.segments import (
    profiles_section,
    segments_section,
)

__all__ = ["assemble"]

Make = Callable[[], Section | None]


def assemble(tables: PublishedTables) -> Report:
    """Return the report: each section with what it says, or with what is missing."""
    try:
        systems = tables.rows(
            "select source_system from source_systems order by has_amounts desc,"
            " has_transactions desc, source_system"
        )
        published = published_words(tables)
    except MissingMartError as missing:
        return Report(f"{missing} is not in the published file.".capitalize(), ())
    return Report(
        published, [_source_report(tables, row["source_system"]) for row in systems]
    )


def _source_report(tables: PublishedTables, source: str) -> SourceReport:
    try:
        cells = cells_of(tables, source)
    except MissingMartError:
        cells = []
    if not cells:
        nothing = Section(
            "data", "The data", [f"{source} has no customers in the published file."]
        )
        return SourceReport(source, [nothing], [])
    before: list[tuple[str, Make]] = [
        ("findings", lambda: findings_section(tables, source)),
        ("data", lambda: data_section(tables, source)),
        ("exploration", lambda: exploration_section(tables, source)),
        ("rfm", lambda: rfm_section(tables, cells)),
        ("customers", lambda: customers_section(cells)),
        ("rfm_playbook", lambda: playbook_section(tables, source, RFM)),
    ]
    after: list[tuple[str, Make]] = [
        ("movement", lambda: movement_section(tables, source)),
        ("interests", lambda: interests_section(tables, source)),
        ("predictions", lambda: predictions_section(tables, source)),
        ("campaigns", lambda: campaigns_section(tables, source)),
        ("distrust", lambda: distrust_section(tables, source)),
    ]
    names = _most_trusted_first(
        tables, {cell["segmentation"] for cell in cells if cell["segmentation"]}
    )
    return SourceReport(
        source,
        _made(before),
        _made(after),
        {name: _segmentation_sections(tables, source, name) for name in names},
        cells,
    )


def _most_trusted_first(tables: PublishedTables, names: set[str]) -> list[str]:
    """Return segmentations by their verdict."""
    try:
        rows = tables.rows("select segmentation, verdict from cluster_choices")
    except MissingMartError:
        rows = []
    verdicts = {row["segmentation"]: row["verdict"] for row in rows}
    order = {"strong": 0, "weak": 1, "none": 2}
    return sorted(names, key=lambda name: (order.get(verdicts.get(name, ""), 3), name))


def _segmentation_sections(
    tables: PublishedTables, source: str, segmentation: str
) -> list[Section]:
    return _made(
        [
            ("choice", lambda: choice_section(tables, segmentation)),
            ("segments", lambda: segments_section(tables, segmentation)),
            ("map", lambda: map_section(tables, segmentation)),
            ("profiles", lambda: profiles_section(tables, segmentation)),
            ("playbook", lambda: playbook_section(tables, source, segmentation)),
        ]
    )


def _made(sections: list[tuple[str, Make]]) -> list[Section]:
    """Make the sections; one whose table is missing says so."""
    made = []
    for name, make in sections:
        try:
            section = make()
        except MissingMartError as missing:
            section = Section(
                name,
                name.capitalize(),
                [
                    f"This part is missing: {missing} is not in the published file. "
                    "Build again with this version of the project."
                ],
            )
        if section is not None:
            made.append(section)
    return made
