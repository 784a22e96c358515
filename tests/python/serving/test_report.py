"""The report says what the published tables hold, and what they lack."""

import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from dbt_project import Sample
from published_by_hand import CUSTOMERS, HOSTILE, MARKUP, make_published

from customer_segmentation.cli import cli
from customer_segmentation.errors import InputError
from customer_segmentation.serving.report import write_report
from customer_segmentation.serving.report.assemble import assemble
from customer_segmentation.serving.report.contents import Report, Section
from customer_segmentation.serving.report.published import opened

MEGABYTE = 1_000_000
DATA = re.compile(
    r'<script type="application/json" id="report-data">(.*?)</script>', re.DOTALL
)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return make_published(tmp_path / "marts.duckdb")


def written(published: Path, **options: Path) -> str:
    output = published.with_name("report.html")
    write_report(published, output, **options)
    return output.read_text(encoding="utf-8")


def named_by(page: str) -> list[str]:
    """Return what the tags of a page refer to."""
    found: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(
            self, tag: str, attrs: list[tuple[str, str | None]]
        ) -> None:
            found.extend(
                value or "" for name, value in attrs if name in ("src", "href")
            )

    Tags().feed(page)
    return found


def assembled(published: Path) -> Report:
    with opened(published) as tables:
        return assemble(tables)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return assembled(make_published(tmp_path_factory.mktemp("report") / "marts.duckdb"))


def section(sections: list[Section], name: str) -> Section:
    [found] = [one for one in sections if one.name == name]
    return found


def text_of(section: Section) -> str:
    findings = [f"{one.sentence} {one.evidence}" for one in section.findings]
    return " ".join([section.warning, *section.sentences, *findings])


def change(published: Path, *statements: str) -> Path:
    with duckdb.connect(published) as connection:
        for statement in statements:
            connection.execute(statement)
    return published


def test_the_page_is_one_small_file_that_names_no_address(published: Path) -> None:
    page = written(published)
    assert len(page) < 8 * MEGABYTE
    assert [
        name for name in named_by(page) if not name.startswith(("#", "data:"))
    ] == []
    assert "default-src 'none'" in page
    assert not [*published.parent.glob(".report*")]


def test_hostile_names_stay_text(published: Path) -> None:
    page = written(published)
    assert MARKUP not in page
    assert "{{ 7 * 7 }}" in page
    [data] = DATA.findall(page)
    names = {cell[1] for cell in json.loads(data)["cells"][0]}
    assert set(HOSTILE) < names


def test_every_chart_has_words_for_those_who_cannot_see_it(published: Path) -> None:
    page = written(published)
    labels = re.findall(r'data-chart="[^"]+" role="img" aria-label="([^"]+)"', page)
    assert len(labels) == page.count("data-chart=")
    assert min(map(len, labels)) > 40


def test_findings_rest_on_numbers(report: Report) -> None:
    shop = report.sources[0]
    said = text_of(section(shop.before, "findings")).replace("\xa0", " ")
    assert "20 % of the buyers bought once. 10 of 50 customers" in said
    assert "The segments of shop_value are not shown to exist." in said
    assert "rank correlation 0.60 against 0.50 on 50 customers" in said
    doubts = text_of(section(shop.after, "distrust")).replace("\xa0", " ")
    assert "There are 50 customers" in doubts
    assert "The 80 % intervals hold 50 %" in doubts
    assert "The 80 % intervals above 0 hold 95 %" in doubts
    assert "The baseline has the lower error of spend: 10 against 12" in doubts
    assert "PSI of 0.90" in doubts


def test_the_best_of_several_baselines_is_beside_a_model(report: Report) -> None:
    parts = section(report.sources[0].after, "predictions").parts
    [grid] = [one for one in parts if "next category" in getattr(one, "title", "")]
    assert grid.rows[0][0] == "main category among the first three"
    assert grid.rows[0][4] == "0.60 (own_history)"


def test_no_structure_is_said_above_the_pictures(report: Report) -> None:
    sections = report.sources[0].segmentations["shop_value"]
    for name in ("choice", "map"):
        assert "do not fall into groups" in section(sections, name).warning
    assert "48 customers; 2 more miss a feature" in text_of(section(sections, "choice"))


def test_without_money_or_dates_or_groups_the_report_says_so(report: Report) -> None:
    members = report.sources[2]
    assert members.name == "members"
    assert "no transactions" in text_of(section(members.before, "data"))
    assert "no predictions" in text_of(section(members.after, "predictions"))
    sections = members.segmentations["member_kinds"]
    segments = text_of(section(sections, "segments"))
    assert "one segment" in segments
    assert "no amounts" in segments
    assert "nothing to compare" in text_of(section(sections, "profiles"))


def test_a_source_system_without_customers_says_so(report: Report) -> None:
    closed = report.sources[1]
    assert "has no customers" in text_of(closed.before[0])


def test_tables_of_later_versions_are_drawn_if_they_are_there(
    report: Report, tmp_path: Path
) -> None:
    shop = report.sources[0]
    movement = section(shop.after, "movement")
    names = [figure.name for figure in movement.figures]
    assert names == ["migrations", "cohorts", "lifecycle"]
    assert len(section(shop.after, "interests").parts) == 3
    old = assembled(make_published(tmp_path / "old.duckdb", later=False)).sources[0]
    assert {"movement", "interests", "campaigns"}.isdisjoint(
        one.name for one in old.after
    )
    assert "rfm_playbook" not in [one.name for one in old.before]


def test_actions_are_hypotheses_and_segments_that_do_not_exist_get_none(
    report: Report,
) -> None:
    shop, _, members = report.sources
    rfm = section(shop.before, "rfm_playbook")
    assert "hypotheses" in text_of(rfm)
    assert rfm.parts[0].rows == [
        [
            *("Champions", "25 customers, 50 % of all.", "Keep them"),
            *("Win back by email: A voucher", "Spend"),
        ]
    ]
    none = section(shop.segmentations["shop_value"], "playbook")
    assert "the verdict on shop_value is none" in text_of(none)
    assert not none.parts
    assert section(members.segmentations["member_kinds"], "playbook").parts


def test_campaigns_show_effects_and_why_nothing_can_be_told(report: Report) -> None:
    results, curves, uplift, plans = section(report.sources[0].after, "campaigns").parts
    autumn, spring = [[cell.replace("\xa0", " ") for cell in r] for r in results.rows]
    assert autumn[2] == "cannot tell: nobody was held out before the first message"
    assert spring[2:] == [
        *("more", "900", "100", "1.50 (0.50 to 2.50)", "1,350", "20 %")
    ]
    assert plans.rows[0][-1] == "12.5 points"
    assert "by expected uplift gains 100.0, the first half by value 50.0" in curves.alt
    [points] = curves.spec["datasets"].values()
    by_uplift = [one for one in points if one["ranking"] == "by expected uplift"]
    assert [one["share"] for one in by_uplift] == list(range(0, 101, 10))
    assert by_uplift[0]["gain"] == 0
    nothing, learned = uplift.rows
    assert nothing[1] == "cannot tell: too few customers to learn from"
    assert learned[3:] == ["20.0", "5.0", "15.0 (10.0 to 20.0)"]
    assert "campaigns" not in [one.name for one in report.sources[2].after]


@pytest.mark.parametrize(
    ("statement", "name", "missing"),
    [
        ("drop table prediction_calibration", "predictions", "prediction_calibration"),
        ("drop table rejected_records", "data", "rejected_records"),
        ("drop table segment_profiles", "profiles", "segment_profiles"),
        ("alter table segments drop column revenue_share", "findings", ""),
        ("alter table customer_clusters drop column pca_x", "map", "pca_x"),
        ("alter table segment_actions drop column persona", "playbook", "persona"),
        ("alter table campaign_plans drop column status", "campaigns", "status"),
        ("alter table campaign_uplift drop column verdict", "campaigns", "verdict"),
    ],
)
def test_a_missing_mart_is_named_in_its_section(
    published: Path, statement: str, name: str, missing: str
) -> None:
    shop = assembled(change(published, statement)).sources[0]
    sections = [*shop.before, *shop.segmentations["shop_value"], *shop.after]
    said = text_of(section(sections, name))
    assert missing in said
    assert ("not in the published file" in said) == bool(missing)


@pytest.mark.parametrize("table", ["source_systems", "customers", "customer_rfm"])
def test_without_its_main_tables_the_page_still_opens(
    published: Path, table: str
) -> None:
    assert "</html>" in written(change(published, f"drop table {table}"))


def test_a_build_without_rows_is_reported(published: Path) -> None:
    with duckdb.connect(published) as connection:
        names = connection.execute("select table_name from duckdb_tables()").fetchall()
    page = written(change(published, *(f"delete from {name}" for (name,) in names)))
    assert "There is nothing to report" in page


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no published file .*none\.duckdb"):
        write_report(tmp_path / "none.duckdb", tmp_path / "report.html")
    (tmp_path / "text.duckdb").write_text("no database " * 100)
    with pytest.raises(InputError, match=r"cannot read .*text\.duckdb as a DuckDB"):
        write_report(tmp_path / "text.duckdb", tmp_path / "report.html")


def test_pictures_for_slides_are_drawn_without_a_browser(published: Path) -> None:
    # one chart is enough to see that files come out
    change(
        published,
        *(f"delete from {table}" for table in ("customer_clusters", "customer_rfm")),
        "drop table cluster_candidates",
        "drop table prediction_calibration",
        "drop table segment_migrations",
        "drop table customer_cohorts",
        "drop table transactions",
    )
    folder = published.with_name("pictures")
    written(published, pictures=folder)
    assert {path.name for path in folder.iterdir()} == {
        "shop_value-profiles.svg",
        "shop_value-profiles.png",
    }
    assert (folder / "shop_value-profiles.svg").read_text().startswith("<svg")


def test_the_command_writes_beside_the_published_file(published: Path) -> None:
    finished = CliRunner().invoke(cli, ["report", "--published", str(published)])
    assert finished.exit_code == 0, finished.output
    assert published.with_name("report.html").exists()
    index = published.with_name("index.html")
    assert named_by(index.read_text()) == ["data:,", "report.html"]
    published.with_name("docs.html").touch()
    CliRunner().invoke(cli, ["report", "--published", str(published)])
    assert named_by(index.read_text()) == ["data:,", "report.html", "docs.html"]


def test_a_million_customers_make_no_larger_page(published: Path) -> None:
    copies = 20_000
    change(
        published,
        *(
            f"create or replace table {table} as select * replace (customer_key || '-'"
            f" || range as customer_key) from {table}, range({copies // 100})"
            for table in ("customers", "customer_rfm", "customer_segments")
        ),
    )
    started = time.perf_counter()
    page = written(published)
    assert time.perf_counter() - started < 20
    assert len(page) < 2 * MEGABYTE
    shop = assembled(published).sources[0]
    assert sum(cell["customers"] for cell in shop.cells) == CUSTOMERS * copies // 100


def test_the_sample_is_reported_whole(sample: Sample, tmp_path: Path) -> None:
    report = assembled(sample.published)
    assert [source.name for source in report.sources] == [
        "marketplace",
        "online_retail",
        "mall",
    ]
    for source in report.sources:
        sections = [*source.before, *source.after]
        for name, those in source.segmentations.items():
            assert name in sample_segmentations(sample, source.name)
            sections += those
            charts = {figure.name for one in those for figure in one.figures}
            assert {"elbow", "silhouette", "sizes", "map", "profiles"} <= charts
        assert not [
            one for one in sections if "not in the published file" in text_of(one)
        ]
        [(customers,)] = sample.rows(
            f"select count(*) from customers where source_system = '{source.name}'"
        )
        first = next(iter(source.segmentations))
        of_first = [cell for cell in source.cells if cell["segmentation"] == first]
        assert sum(cell["customers"] for cell in of_first) == customers


def sample_segmentations(sample: Sample, source: str) -> set[str]:
    return {
        name
        for (name,) in sample.rows(
            f"select segmentation from cluster_choices where source_system = '{source}'"
        )
    }
