"""The report in a real browser: charts, filters, no error, no request, no script.

Needs Debian's chromium, and playwright, which drives it.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest
from published_by_hand import HOSTILE, make_published

from customer_segmentation.serving.report import write_report

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: run `make install`"
)
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no chromium: run `apt-get install chromium`"
)
SWITCHES = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
READY = "document.body.dataset.ready === 'yes'"
# charts that a reader sees, with what became of them
VISIBLE = """
    [...document.querySelectorAll("[data-chart]")]
        .filter((place) => place.offsetParent !== null)
        .map((place) => [
            place.dataset.chart,
            place.dataset.drawn,
            place.querySelectorAll("svg path, svg text, svg rect").length,
        ])
"""
WIDER = "document.documentElement.scrollWidth > window.innerWidth"
PHONE, DESKTOP = 360, 1280


@dataclass
class Opened:
    """A page in the browser, and what it said and asked for."""

    page: Any
    published: Path
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def choose(self, select: str, label: str) -> None:
        """Choose in a visible list, and wait until everything is drawn."""
        self.page.locator(f"{select}:visible").select_option(label=label)
        self.page.wait_for_function(READY)

    def number(self, name: str) -> float:
        """Return a number that the filters change."""
        shown = self.page.locator(f'[data-number="{name}"]:visible').inner_text()
        return float(shown.replace(",", "").replace("%", ""))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    published = make_published(folder / "marts.duckdb")
    write_report(published, folder / "report.html")
    return published


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def opened(
    browser: Any, published: Path, request: pytest.FixtureRequest
) -> Iterator[Opened]:
    page = browser.new_page(viewport={"width": request.param, "height": 900})
    opened = Opened(page, published)
    page.on("console", lambda message: opened.said.append(message.text))
    page.on("pageerror", lambda error: opened.said.append(str(error)))
    page.on("request", lambda request: opened.asked.append(request.url))
    page.goto(published.with_name("report.html").as_uri())
    page.wait_for_function(READY)
    yield opened
    page.close()


def test_everything_is_drawn_without_an_error_or_a_request(opened: Opened) -> None:
    for source in ("shop", "closed", "members"):
        opened.choose("#source", source)
        charts = opened.page.evaluate(VISIBLE)
        assert [chart for chart in charts if chart[1] != "yes" or chart[2] < 2] == []
        assert (len(charts) > 15) == (source == "shop")
        # nothing is cut off at the right
        assert not opened.page.evaluate(WIDER)
    assert opened.said == []
    own = opened.published.with_name("report.html").as_uri()
    assert [url for url in opened.asked if not url.startswith(("data:", own))] == []


def test_hostile_names_stay_text(opened: Opened) -> None:
    page = opened.page
    # the map has a hover and a legend of names
    chart = page.locator('[data-chart="s0-0-map-map"]')
    chart.scroll_into_view_if_needed()
    point = chart.locator("svg .mark-symbol.role-mark path").first
    point.hover(force=True)
    page.locator("#vg-tooltip-element.visible").wait_for()
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main script, #vg-tooltip-element img").count() == 0
    options = page.locator('[data-filter="segment"]:visible option')
    assert {" ".join(name.split()) for name in HOSTILE} <= {
        " ".join(text.split()) for text in options.all_text_contents()
    }
    assert "<script>" in page.locator("#vg-tooltip-element").inner_text() or (
        page.locator("#vg-tooltip-element td").count() > 0
    )
    assert opened.said == []


@pytest.mark.parametrize("opened", [DESKTOP], indirect=True)
def test_a_filter_gives_the_numbers_of_a_query(opened: Opened) -> None:
    query = """
        select count(*), sum(monetary)::double, sum(frequency)::double
        from customer_segments join customer_rfm using (customer_key)
        where segmentation = 'shop_value' and segment_name like ?
            and rfm_segment like ?
    """
    with duckdb.connect(opened.published, read_only=True) as connection:
        for segment, rfm in (
            ("All", "All"),
            (HOSTILE[1], "All"),
            (HOSTILE[1], "At Risk"),
            ("All", "Champions"),
        ):
            opened.choose('[data-filter="segment"]', segment)
            opened.choose('[data-filter="rfm"]', rfm)
            wanted = [name.replace("All", "%") for name in (segment, rfm)]
            [(customers, revenue, purchases)] = connection.execute(
                query, wanted
            ).fetchall()
            assert opened.number("customers") == customers
            assert opened.number("purchases") == purchases
            assert opened.number("revenue") == pytest.approx(revenue, abs=0.51)
            assert opened.number("revenue per customer") == pytest.approx(
                revenue / customers, abs=0.01
            )
            # the heat map has the same customers
            cells = opened.page.locator(
                '[data-chart="s0-customers-heat-map"] svg .mark-text.role-mark text'
            ).all_text_contents()
            assert sum(map(int, cells)) == customers


@pytest.mark.parametrize("opened", [DESKTOP], indirect=True)
def test_the_map_shows_the_chosen_segment(opened: Opened) -> None:
    points = opened.page.locator(
        '[data-chart="s0-0-map-map"] svg .mark-symbol.role-mark path'
    )
    assert points.count() == 48
    opened.choose('[data-filter="segment"]', HOSTILE[0])
    assert points.count() == 16


@pytest.mark.parametrize("opened", [DESKTOP], indirect=True)
def test_it_prints(opened: Opened) -> None:
    opened.page.emulate_media(media="print")
    assert opened.page.locator(".choices").is_hidden()
    assert opened.page.locator("svg").first.is_visible()
    assert opened.page.pdf().startswith(b"%PDF")
