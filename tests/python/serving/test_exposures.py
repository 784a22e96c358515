"""The exposures name the tables that the report, the dashboard and the export read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
import sqlglot
import yaml
from dbt_project import REPOSITORY
from published_by_hand import make_published
from sqlglot import exp

from customer_segmentation.serving import export
from customer_segmentation.serving.report.assemble import assemble
from customer_segmentation.serving.report.published import opened

METADATA = "published_tables"
DATASETS = REPOSITORY / "docs" / "superset" / "dashboard" / "datasets"


def tables_of(manifest: dict[str, Any], exposure: str) -> set[str]:
    """Return the names of the tables that an exposure depends on."""
    [found] = [one for one in manifest["exposures"].values() if one["name"] == exposure]
    return {node.rpartition(".")[2] for node in found["depends_on"]["nodes"]}


def tables_in(query: str) -> set[str]:
    """Return the names of the tables that a query reads."""
    tree = sqlglot.parse_one(query, dialect="duckdb")
    own = {one.alias for one in tree.find_all(exp.CTE)}
    return {table.name for table in tree.find_all(exp.Table)} - own


def test_the_report_reads_the_tables_of_its_exposure(
    manifest: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()
    with opened(make_published(tmp_path / "marts.duckdb")) as tables:
        rows = tables.rows

        def recorded(query: str, *parameters: object) -> list[dict[str, Any]]:
            read.update(tables_in(query))
            return rows(query, *parameters)

        monkeypatch.setattr(tables, "rows", recorded)
        assemble(tables)
    assert read - {METADATA} == tables_of(manifest, "report")


def test_the_dashboard_reads_the_tables_of_its_exposure(
    manifest: dict[str, Any],
) -> None:
    read = {
        yaml.safe_load(path.read_text(encoding="utf-8"))["table_name"]
        for path in DATASETS.rglob("*.yaml")
    }
    assert read == tables_of(manifest, "segments_dashboard")


def test_the_export_reads_the_tables_of_its_exposure(
    manifest: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = make_published(tmp_path / "marts.duckdb")
    with duckdb.connect(published) as connection:
        connection.execute("""
            alter table customers add column customer_id varchar;
            create table campaign_audiences as select 'summer' as campaign,
                'shop:1' as customer_key, '1' as customer_id, 'win_back' as action,
                'email' as channel, 'A voucher' as offer, 1 as priority,
                false as is_control""")
    read: set[str] = set()

    @contextmanager
    def recorded(file: Path) -> Iterator[SimpleNamespace]:
        with duckdb.connect(file, read_only=True) as connection:

            def execute(query: str, *parameters: Any) -> duckdb.DuckDBPyConnection:
                read.update(tables_in(query))
                return connection.execute(query, *parameters)

            yield SimpleNamespace(execute=execute)

    monkeypatch.setattr(export, "_open", recorded)
    output = tmp_path / "a.csv"
    assert export.export_campaign(published, "summer", output) == 1
    assert export.export_segment(published, "rfm", "At Risk", output) == 25
    # a view of the export's own, and what DuckDB says of its tables
    assert read - {"members", ""} == tables_of(manifest, "audience_files")
