"""On Spark, people read views: all of them change to a new version in one step."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from macros_of_publishing import macros

pytestmark = pytest.mark.spark

BUILT, PUBLISHED = "shop", "shop_published"


class KilledError(Exception):
    """Stands for the end of a process."""


class Shop:
    """Has two tables on Spark, and publishes them by the macros."""

    def __init__(self, spark: Any) -> None:
        self.spark = spark
        self.tables = [node("customers"), node("segments")]
        self.run(f"create schema if not exists {BUILT}")
        # of the last publication, the statements that change something
        self.changes: list[str] = []

    def build(self, number: int, *, columns: str = "") -> None:
        """Replace the tables by some that say which build they are of."""
        for table in self.tables:
            self.run(
                f"create or replace view {BUILT}.{table.alias} as"
                f" select {number} as build{columns}"
            )

    def publish(self, second: int, killed_before: int = 1_000) -> None:
        """Publish what is built; perhaps the process ends before a change."""
        self.changes = []

        def run_query(text: str) -> SimpleNamespace:
            if text.lstrip().startswith(("create", "drop")):
                self.changes.append(text)
                if len(self.changes) == killed_before:
                    raise KilledError
            return SimpleNamespace(rows=[tuple(row) for row in self.run(text)])

        module = macros(
            target=SimpleNamespace(schema=BUILT),
            run_query=run_query,
            run_started_at=SimpleNamespace(
                strftime=lambda _: f"20260101t0000{second:02}"
            ),
            invocation_id="0123abcd-0000",
            log=lambda *_, **__: None,
        )
        module.spark__publish_tables(self.tables, {"passed": 1, "warned": 0})

    def run(self, text: str) -> list[Any]:
        """Return the rows of a statement."""
        return self.spark.sql(text).collect()

    def read(self) -> set[int]:
        """Return the builds that one query over all views meets."""
        views = [table.alias for table in self.tables]
        rows = self.run(
            " union all ".join(f"select build from {PUBLISHED}.{one}" for one in views)
        )
        assert len(rows) == len(views)
        return {build for (build,) in rows}

    def versions(self) -> list[str]:
        """Return the schemas of the versions that are there."""
        return sorted(
            name for (name,) in self.run(f"show schemas like '{PUBLISHED}_*'")
        )


def node(name: str) -> SimpleNamespace:
    return SimpleNamespace(
        alias=name,
        relation_name=f"`{BUILT}`.`{name}`",
        description=f"The shop's {name}.",
        columns={"build": SimpleNamespace(name="build", description="Which build.")},
    )


@pytest.fixture
def shop(spark: Any) -> Iterator[Shop]:
    shop = Shop(spark)
    yield shop
    for schema in (*shop.versions(), PUBLISHED, BUILT):
        shop.run(f"drop schema if exists {schema} cascade")


def test_a_build_replaces_the_version_before(shop: Shop) -> None:
    for build in (1, 2, 3):
        shop.build(build)
        shop.publish(build)
        assert shop.read() == {build}
    # a reader may be at work on the version before
    assert [name[-11:-9] for name in shop.versions()] == ["02", "03"]
    [(rows, version)] = shop.run(
        "select row_count, version from shop_published.published_tables"
        " where table_name = 'customers'"
    )
    assert (rows, version) == (1, "20260101t000003_0123abcd")
    rows = shop.run(f"describe table extended {PUBLISHED}.customers")
    assert rows[0][:] == ("build", "int", "Which build.")
    [comment] = [row[1] for row in rows if row[0] == "Comment"]
    assert comment == "The shop's customers."


def test_a_publication_that_ends_anywhere_leaves_one_version(shop: Shop) -> None:
    shop.build(0)
    shop.publish(0)
    shop.build(1)
    shop.publish(1)
    [switch] = [
        number
        for number, text in enumerate(shop.changes, start=1)
        if "`published_version` as" in text
    ]
    copying, last = 4, len(shop.changes)
    for killed_before in (copying, switch - 1, switch, switch + 1, last):
        live = shop.read()
        shop.build(killed_before)
        with pytest.raises(KilledError):
            shop.publish(killed_before, killed_before)
        # after the switch, what is left to do is tidying
        assert shop.read() == ({killed_before} if killed_before > switch else live)
    shop.build(99)
    shop.publish(50)
    assert shop.read() == {99}
    assert len(shop.versions()) == 2


def test_tables_and_columns_may_come_and_go(shop: Shop) -> None:
    shop.build(1, columns=", 'a' as taste, 1 as size")
    shop.publish(1)
    [gone, _] = shop.tables
    shop.tables = [shop.tables[1], node("categories")]
    shop.build(2, columns=", 2.5D as size, 'b' as name")
    met = []
    for second, killed_before in enumerate((6, 8, 10, 1_000), start=2):
        try:
            shop.publish(second, killed_before)
        except KilledError:
            met.append(shop.run(f"select build from {PUBLISHED}.segments")[0][0])
    assert set(met) == {1, 2}
    assert shop.read() == {2}
    [row] = shop.run(f"select * from {PUBLISHED}.segments")
    assert row.asDict() == {"build": 2, "size": 2.5, "name": "b"}
    views = {row[1] for row in shop.run(f"show views in {PUBLISHED}")}
    assert gone.alias not in views
