"""Try a mapping on files: what would be rejected, and what could be predicted.

The files land in a folder that is removed afterwards, and dbt builds what core and the
plan of predictions need, without tests.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from customer_segmentation.errors import InputError
from customer_segmentation.landing import land_files
from customer_segmentation.source_systems.declare import SourceMapping

__all__ = ["check_source"]

SELECTED = (
    *("--select", "path:seeds", "path:models/staging", "path:models/core"),
    *("int_features__splits", "--exclude", "resource_type:test"),
    "resource_type:unit_test",
)


def check_source(
    project: Path, mapping: SourceMapping, paths: Sequence[Path]
) -> Iterator[str]:
    """Yield lines about files that go through a mapping.

    Parameters
    ----------
    project : Path
        The folder of ``dbt_project.yml``, which has the models of the mapping.
    mapping : SourceMapping
        The declaration.
    paths : sequence of Path
        What `land` would get.

    Raises
    ------
    InputError
        If the files do not land, or the models do not build.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        land_files(
            mapping.source_system, tuple(paths), folder / "landing", append=False
        )
        _build(project, mapping.name, folder)
        with duckdb.connect(folder / "check.duckdb", read_only=True) as connection:
            for table in mapping.tables:
                yield from _rejects(connection, mapping.name, table.name)
            yield from _shop(connection, mapping.name)
            yield from _predictions(connection)


def _build(project: Path, name: str, folder: Path) -> None:
    finished = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "dbt"), "--no-use-colors", "build"),
            *("--project-dir", str(project), "--profiles-dir", str(project)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder)),
            *("--vars", json.dumps(_variables(name)), *SELECTED),
        ],
        env=os.environ
        | {
            "CUSTOMER_SEGMENTATION_LANDING": str(folder / "landing"),
            "CUSTOMER_SEGMENTATION_DATABASE": str(folder / "check.duckdb"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        said = [line for line in finished.stdout.splitlines() if line.strip()]
        raise InputError(
            f"source_systems/{name}.yml: its models do not build; run "
            f"customer-segmentation generate-source {name}, and see what dbt says: "
            + " | ".join(said[-4:])
        )


def _variables(name: str) -> dict[str, object]:
    """Return vars for a shop alone: what is declared about others would be mistaken."""
    return {
        "source_systems": [name],
        "segmentations": {},
        "campaigns": {},
        "product_categories": {},
        "prediction_segment_targets": ["rfm"],
    }


def _rejects(
    connection: duckdb.DuckDBPyConnection, system: str, table: str
) -> Iterator[str]:
    rows = connection.execute(
        f"select reasons, count(*) from main_private.stg_{system}__{table}"
        " group by reasons order by count(*) desc, reasons"
    ).fetchall()
    total = sum(count for _, count in rows)
    rejected = {reasons: count for reasons, count in rows if reasons}
    yield f"{table}: {sum(rejected.values()):,} of {total:,} rows would be rejected"
    for reasons, count in rejected.items():
        yield f"  {count:,} rows: {reasons}"


def _shop(connection: duckdb.DuckDBPyConnection, system: str) -> Iterator[str]:
    [(customers, buyers)] = connection.execute(
        "select count(*), count(*) filter (where lifetime_purchases > 0) from customers"
    ).fetchall()
    yield f"customers: {customers:,}, {buyers:,} of them with a purchase"
    rows = connection.execute(
        "select status, count(*), sum(amount), count(*) filter (customer_key is null)"
        " from transactions group by status order by count(*) desc, status"
    ).fetchall()
    if not rows:
        yield "transactions: none, so there is no RFM, and nothing is predicted"
        return
    for status, count, amount, guests in rows:
        money = "no amounts" if amount is None else f"{amount:,} in all"
        yield f"  {count:,} transactions are {status}: {money}, {guests:,} of guests"
    [(first, last, days)] = connection.execute(
        "select min(transacted_at)::date, max(transacted_at)::date,"
        " date_diff('day', min(transacted_at), max(transacted_at)) from transactions"
    ).fetchall()
    yield f"record: {days:,} days, from {first} to {last}"


def _predictions(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    rows = connection.execute(
        "select task, population, max(horizon_days) filter (split = 'test'),"
        " max(horizon_days) filter (split = 'score')"
        " from main_private.int_features__splits"
        " where task in ('next_purchases', 'segment') group by all order by all"
    ).fetchall()
    if not rows:
        yield "predictions: the record is too short for any; RFM and segments are there"
    for task, population, tested, scored in rows:
        days = tested or scored
        yield f"predictions: {task} of {population} customers, {days} days ahead"
