"""The lineage of the models, a band for each subject."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from drawing.manifest import Lineage, Node
from drawing.svg import COLOURS, FAINT, INK, PAPER, SEEDS, Drawing, width_of

ROW, GAP, SIZE = 62, 12, 11
MARGIN, BAND_TOP, BAND_BOTTOM = 24, 46, 20


@dataclass
class Placed:
    """A node of a band, at a level; what a band reads of others is at level 0."""

    node: Node
    level: int
    x: float = 0

    @property
    def lines(self) -> list[str]:
        """The label in one line or two."""
        return in_two_lines(self.node.label)

    @property
    def width(self) -> float:
        """Width of the box."""
        return 16 + max(width_of(line, SIZE) for line in self.lines)


def in_two_lines(name: str, longest: int = 15) -> list[str]:
    """Break a long name at the underscore that is nearest to its middle.

    Examples
    --------
    >>> in_two_lines("segment_prediction_confusions")
    ['segment_prediction', '_confusions']
    >>> in_two_lines("customers")
    ['customers']
    """
    breaks = [place for place, letter in enumerate(name) if letter == "_"]
    breaks = [place for place in breaks if name[place - 1] != "_"]
    if len(name) <= longest or not breaks:
        return [name]
    place = min(breaks, key=lambda place: abs(place - len(name) / 2))
    return [name[:place], name[place:]]


def lineage(project: Lineage) -> Drawing:
    """Draw the models by subject: what each subject reads, and what it makes of it."""
    bands = [(subject, _band(project, subject)) for subject in COLOURS]
    width = 2 * MARGIN + 28 + max(_widest(band) for _, band in bands)
    heights = [
        BAND_TOP
        + ROW * (max(placed.level for placed in band) - _first_level(band))
        + 32
        + BAND_BOTTOM
        for _, band in bands
    ]
    drawing = Drawing(
        width,
        64 + sum(heights) + 14 * len(bands) + 10,
        "The models of each subject, and the models of other subjects that they read",
    )
    _draw_legend(drawing)
    top = 64.0
    for (subject, band), height in zip(bands, heights, strict=True):
        _draw_band(drawing, subject, band, top, height)
        top += height + 14
    return drawing


def _band(project: Lineage, subject: str) -> list[Placed]:
    own = [node for node in project.nodes.values() if node.subject == subject]
    names = {node.name for node in own}
    levels: dict[str, int] = {}

    def level(name: str) -> int:
        if name not in levels:
            inside = [one for one in project.nodes[name].parents if one in names]
            levels[name] = 1 + max(map(level, inside), default=0)
        return levels[name]

    read = {parent for node in own for parent in node.parents} - names
    band = [Placed(node, level(node.name)) for node in own]
    band += [Placed(project.nodes[name], 0) for name in read]
    band.sort(key=lambda placed: (placed.level, placed.node.name))
    _settle(band)
    return band


def _settle(band: Sequence[Placed], sweeps: int = 40) -> None:
    """Move nodes towards those that they are linked to, without overlaps."""
    by_name = {placed.node.name: placed for placed in band}
    linked: dict[str, list[Placed]] = {name: [] for name in by_name}
    for placed in band:
        for parent in placed.node.parents:
            if parent in by_name and placed.level > 0:
                linked[placed.node.name].append(by_name[parent])
                linked[parent].append(placed)
    rows = [list(row) for _, row in groupby(band, key=lambda placed: placed.level)]
    for row in rows:
        _spread(row, [0.0] * len(row))
    for _ in range(sweeps):
        for row in rows:
            wanted = {
                placed.node.name: (
                    sum(other.x for other in linked[placed.node.name])
                    / len(linked[placed.node.name])
                    if linked[placed.node.name]
                    else placed.x
                )
                for placed in row
            }
            row.sort(key=lambda placed: (wanted[placed.node.name], placed.node.name))
            _spread(row, [wanted[placed.node.name] for placed in row])


def _spread(row: Sequence[Placed], wanted: Sequence[float]) -> None:
    """Put nodes of a row side by side, in order, near to where they should be."""
    x = 0.0
    offsets = []
    for placed in row:
        offsets.append(x + placed.width / 2)
        x += placed.width + GAP
    # blocks of nodes that touch share one shift
    blocks: list[tuple[float, int]] = []
    for place, offset in zip(wanted, offsets, strict=True):
        blocks.append((place - offset, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (one, few), (other, more) = blocks[-2:]
            blocks[-2:] = [((one * few + other * more) / (few + more), few + more)]
    shifts = [shift for shift, count in blocks for _ in range(count)]
    for placed, offset, shift in zip(row, offsets, shifts, strict=True):
        placed.x = offset + shift


def _first_level(band: Sequence[Placed]) -> int:
    """Return the level at the top: staging reads no models."""
    return min(placed.level for placed in band)


def _widest(band: Sequence[Placed]) -> float:
    left = min(placed.x - placed.width / 2 for placed in band)
    right = max(placed.x + placed.width / 2 for placed in band)
    return right - left


def _draw_band(
    drawing: Drawing, subject: str, band: Sequence[Placed], top: float, height: float
) -> None:
    colour = COLOURS[subject]
    drawing.box(
        MARGIN, top, drawing.width - 2 * MARGIN, height, fill=colour, opacity=0.05
    )
    drawing.box(MARGIN, top, 6, height, fill=colour, corner=3)
    drawing.text(MARGIN + 20, top + 25, subject, size=16, colour=colour, bold=True)
    middle = (
        min(placed.x - placed.width / 2 for placed in band)
        + max(placed.x + placed.width / 2 for placed in band)
    ) / 2
    shift = drawing.width / 2 + 4 - middle
    first = _first_level(band)
    subjects = {placed.node.name: placed.node.subject for placed in band}
    places = {
        placed.node.name: (
            placed.x + shift,
            top + BAND_TOP + ROW * (placed.level - first) + 16,
        )
        for placed in band
    }
    for placed in band:
        if placed.level == 0:
            continue
        x, y = places[placed.node.name]
        for parent in placed.node.parents:
            from_x, from_y = places[parent]
            start, end = from_y + 16, y - 16
            middle = (start + end) / 2
            drawing.path(
                f"M{from_x:.1f} {start:.1f}C{from_x:.1f} {middle:.1f} "
                f"{x:.1f} {middle:.1f} {x:.1f} {end:.1f}",
                colour=COLOURS.get(subjects[parent], SEEDS),
                width=1.2,
                opacity=0.5,
            )
    for placed in band:
        _draw_node(drawing, placed, *places[placed.node.name])


def _draw_node(drawing: Drawing, placed: Placed, x: float, y: float) -> None:
    node = placed.node
    colour = COLOURS.get(node.subject, SEEDS)
    is_input = placed.level == 0
    filled = node.is_public and not is_input
    drawing.box(
        x - placed.width / 2,
        y - 16,
        placed.width,
        32,
        fill=colour if filled else PAPER,
        line="none" if is_input else colour,
        corner=5,
        hint=node.name,
    )
    ink = PAPER if filled else colour if is_input else INK
    for number, line in enumerate(placed.lines):
        drawing.text(
            x,
            y + 4 + 12 * (number - (len(placed.lines) - 1) / 2),
            line,
            size=SIZE,
            colour=ink,
            anchor="middle",
            bold=filled,
        )
    if node.is_python and not is_input:
        left = x + placed.width / 2 - 13
        drawing.box(left, y - 22, 18, 12, fill="#ffd43b", line="#9a6700", corner=3)
        drawing.text(left + 9, y - 13, "py", size=9, anchor="middle", bold=True)


def _draw_legend(drawing: Drawing) -> None:
    x, y = MARGIN + 4.0, 38.0
    drawing.box(x, y - 16, 62, 22, fill=COLOURS["core"], corner=5)
    drawing.text(
        x + 31, y, "public", size=SIZE, colour=PAPER, anchor="middle", bold=True
    )
    drawing.text(x + 72, y, "in schema main", size=12, colour=FAINT)
    x += 182
    drawing.box(x, y - 16, 62, 22, line=COLOURS["core"], corner=5)
    drawing.text(x + 31, y, "private", size=SIZE, anchor="middle")
    drawing.text(
        x + 72, y, "shown without its prefix int_<subject>__", size=12, colour=FAINT
    )
    x += 318
    drawing.box(x, y - 13, 18, 12, fill="#ffd43b", line="#9a6700", corner=3)
    drawing.text(x + 9, y - 4, "py", size=9, anchor="middle", bold=True)
    drawing.text(x + 26, y, "Python", size=12, colour=FAINT)
    x += 88
    drawing.text(x, y, "without a frame", size=SIZE, colour=COLOURS["features"])
    drawing.text(
        x + 90,
        y,
        "read from an earlier subject, or a seed (grey)",
        size=12,
        colour=FAINT,
    )
