"""Views do not name the database, so a renamed copy of the file can be read."""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt_project import Compiled


def test_no_view_names_the_database(manifest: dict[str, Any]) -> None:
    views = {
        node["name"]: node["compiled_code"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "view"
    }
    assert len(views) > 20
    naming = [name for name, code in views.items() if '"warehouse"' in code]
    assert naming == []


@pytest.mark.build
def test_a_renamed_copy_has_the_same_views(tmp_path: Path) -> None:
    warehouse = Compiled.land_nothing(tmp_path)
    finished = warehouse.dbt("run", "--select", "+int_mall__customers")
    assert finished.returncode == 0, finished.stdout
    copy = tmp_path / "renamed.duckdb"
    shutil.copy(warehouse.database, copy)
    view = "main_private.int_mall__customers"
    count = f"select count(*) from duckdb_views() where view_name = '{view[13:]}'"
    with duckdb.connect(copy, read_only=True) as connection:
        assert connection.execute(count).fetchall() == [(1,)]
        assert connection.execute(f"from {view}").fetchall() == []
    with duckdb.connect() as connection:
        connection.execute(f"attach '{copy}' as other (read_only)")
        assert connection.execute(f"from other.{view}").fetchall() == []
