"""The look of all charts: one typeface, and colours that the colour-blind tell apart.

Categories have the colours of Okabe and Ito (2008), orders those of viridis.
"""

from typing import Any

__all__ = ["BARE", "BLUE", "CONFIG", "GREY", "OKABE_ITO", "ORANGE", "SMALL", "scale_of"]

OKABE_ITO = [
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7"),
    *("#56B4E9", "#D55E00", "#F0E442", "#000000"),
]
BLUE, ORANGE, GREY = OKABE_ITO[0], OKABE_ITO[5], "#8a8a8a"
INK, FAINT = "#22272e", "#e4e7eb"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
# an axis of names
BARE: dict[str, Any] = {"grid": False, "ticks": False, "domain": False}
# the size of a text in a cell, which is narrow on a phone
SMALL = "width < 330 ? 8.5 : 11"
CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "white",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridColor": FAINT,
        "domainColor": GREY,
        "tickColor": GREY,
        "labelLimit": 220,
    },
    "legend": {
        "orient": "top",
        "direction": "vertical",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 260,
        "symbolOpacity": 1,
    },
    "range": {"category": OKABE_ITO},
}


def scale_of(names: list[str]) -> dict[str, Any]:
    """Return the colours of categories: the same name has the same colour in all."""
    colours = [OKABE_ITO[number % len(OKABE_ITO)] for number in range(len(names))]
    return {"domain": names, "range": colours}
