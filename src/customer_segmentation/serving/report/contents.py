"""What a report is made of: sections with sentences, figures and grids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Figure", "Finding", "Grid", "Report", "Section", "SourceReport"]

Spec = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A chart.

    Parameters
    ----------
    name : str
        What it shows, in a word that a file name may hold, such as ``map``.
    title : str
        What a reader learns from it.
    alt : str
        What it shows, for those who cannot see it.
    spec : dict
        The Vega-Lite specification, with its data.
    note : str, optional
        What one must know to read it, such as the size of a sample.
    is_main : bool, optional
        Whether it is drawn as a picture for slides, too.
    """

    name: str
    title: str
    alt: str
    spec: Spec
    note: str = ""
    is_main: bool = False


@dataclass(frozen=True)
class Grid:
    """A table: its title, its columns, and rows of numbers and texts."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Finding:
    """A sentence of what the data say, and the table and number that it rests on."""

    sentence: str
    evidence: str


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Parameters
    ----------
    name : str
        Its name in links.
    title : str
        Its heading.
    sentences : sequence of str
        What stands above the pictures.
    warning : str, optional
        What the reader must know before looking at the pictures.
    parts : sequence of Figure and Grid
        In the order of the page.
    findings : sequence of Finding
        Sentences with their evidence.
    has_filter : bool, optional
        Whether the filters by segment and their numbers stand here.
    """

    name: str
    title: str
    sentences: Sequence[str] = ()
    warning: str = ""
    parts: Sequence[Figure | Grid] = ()
    findings: Sequence[Finding] = ()
    has_filter: bool = False

    @property
    def figures(self) -> list[Figure]:
        """Its charts."""
        return [part for part in self.parts if isinstance(part, Figure)]


@dataclass(frozen=True)
class SourceReport:
    """What there is to say of one source system.

    Parameters
    ----------
    name : str
        The source system.
    before, after : sequence of Section
        Sections above and below those of the segmentation.
    segmentations : mapping of str to sequence of Section
        The sections of each segmentation; one of them is shown at a time.
    cells : sequence of mapping
        Customers, purchases and revenue by segment and scores, for the filters.
    """

    name: str
    before: Sequence[Section]
    after: Sequence[Section]
    segmentations: Mapping[str, Sequence[Section]] = field(default_factory=dict)
    cells: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Report:
    """All source systems, and what was published when."""

    published: str
    sources: Sequence[SourceReport]
