"""An SVG file, its colours and its letters."""

from dataclasses import dataclass, field
from html import escape
from pathlib import Path

# a subject reads only those before it
COLOURS = {
    "staging": "#57606a",
    "core": "#0969da",
    "products": "#1f883d",
    "features": "#0f7b6c",
    "rfm": "#9a6700",
    "segmentation": "#8250df",
    "prediction": "#cf222e",
    "movement": "#bc4c00",
    "exploration": "#bf3989",
    "serving": "#0a3069",
}
SEEDS = "#6e7781"
INK, FAINT, PAPER = "#1f2328", "#656d76", "#ffffff"
FONT = "Helvetica, Arial, sans-serif"
# mean width of a letter, as a share of the size of the font
LETTER = 0.56


@dataclass
class Drawing:
    """An SVG file under construction; what is drawn later lies on top.

    Parameters
    ----------
    width, height : float
        In pixels.
    title : str
        What the picture shows, for those who cannot see it.
    """

    width: float
    height: float
    title: str
    parts: list[str] = field(default_factory=list)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str = PAPER,
        line: str = "none",
        corner: float = 6,
        opacity: float = 1,
        hint: str = "",
    ) -> None:
        """Draw a rectangle with round corners."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'rx="{corner:g}" fill="{fill}" stroke="{line}" fill-opacity="{opacity:g}">'
            f"{f'<title>{escape(hint)}</title>' if hint else ''}</rect>"
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 13,
        colour: str = INK,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """Write one line; y is its baseline."""
        weight = ' font-weight="600"' if bold else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}" '
            f'text-anchor="{anchor}"{weight}>{escape(text)}</text>'
        )

    def path(
        self,
        shape: str,
        *,
        colour: str = FAINT,
        width: float = 1.5,
        dashes: str = "",
        arrow: bool = False,
        opacity: float = 1,
    ) -> None:
        """Draw a line of any shape."""
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        head = ' marker-end="url(#arrow)"' if arrow else ""
        self.parts.append(
            f'<path d="{shape}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
            f'stroke-opacity="{opacity:g}"{dashed}{head}/>'
        )

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        """Draw a dot with a thin white rim."""
        self.parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}" '
            f'stroke="{PAPER}" stroke-width="0.8"/>'
        )

    def save(self, path: Path) -> int:
        """Write the file and return its size in bytes."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:.0f}" '
            f'height="{self.height:.0f}" viewBox="0 0 {self.width:.0f} '
            f'{self.height:.0f}" font-family="{FONT}" role="img">'
            f"<title>{escape(self.title)}</title>"
            '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" '
            'markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" '
            f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{FAINT}"/></marker></defs>'
            f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>'
        )
        path.parent.mkdir(exist_ok=True)
        return path.write_bytes("\n".join([head, *self.parts, "</svg>", ""]).encode())


def width_of(text: str, size: float) -> float:
    """Return about how wide a text is."""
    return len(text) * size * LETTER
