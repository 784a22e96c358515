"""The dbt project, built once on the sample and on real data; and the tiers of tests.

Each test is of one tier, by the fixtures that it uses:

- ``unit`` builds nothing;
- ``build`` builds the simulated sample;
- ``real`` builds the public data sets;
- ``spark`` needs Spark.

With pytest-xdist, ``tests/conftest.py`` says which tests one process runs. Builds of
this file are shared: they are folders, made by the process that needs them first.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt_project import (
    NEWCOMER,
    ONLY_MALL,
    PREDICTIONS,
    QUICK_SEARCH,
    REAL_SEARCH,
    SCORED,
    SCORING,
    UNIT_TESTS,
    WITHOUT_TRAINING,
    WORKER,
    Sample,
    Scored,
    Warehouse,
    compile_project,
    made_once,
    run_command,
    shared_file,
    take_source_system,
)
from threadpoolctl import threadpool_limits

# the first tier of which a test uses a fixture
TIERS = {
    "spark": {"spark_installed", "spark"},
    "real": {"real", "both_years", "mall_dirty"},
    "build": {"workshop", "sample"},
}
UNIT = "unit"
# of what builds
LONGEST = "test_repeatability.py"


def fixtures_of(item: pytest.Item) -> set[str]:
    """Return the fixtures that a test uses, its parameters among them."""
    parameters = getattr(item, "callspec", None)
    values = parameters.params.values() if parameters else ()
    texts = {value for value in values if isinstance(value, str)}
    return {*getattr(item, "fixturenames", ()), *texts}


def tier_of(item: pytest.Item) -> str:
    """Return the tier of a test: the mark that it has, or by its fixtures."""
    marked = {mark.name for mark in item.iter_markers()}
    used = fixtures_of(item)
    return next(
        (
            tier
            for tier, fixtures in TIERS.items()
            if tier in marked or not fixtures.isdisjoint(used)
        ),
        UNIT,
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its tier, and put them in order.

    Builds on Spark take longest, so a file about Spark comes first: its process builds
    the sample. A file about real data comes second: another process builds those
    meanwhile, and builds on Spark begin when both are there. Without tests of Spark, a
    file that needs the sample comes first. What builds nothing follows, so nobody waits
    for a build of another process. Of what builds, the longest file comes first, so no
    process has it left when the others are done.
    """
    tiers = {}
    for item in items:
        tiers[item] = tier_of(item)
        item.add_marker(tiers[item])

    def file_of(*wanted: str) -> Path | None:
        found = (one.path for tier in wanted for one in items if tiers[one] == tier)
        return next(found, None)

    first = [file_of("spark", "build"), file_of("real")]

    def turn(item: pytest.Item) -> tuple[int, bool]:
        is_short = item.path.name != LONGEST
        if item.path in first and tiers[item] != UNIT:
            return first.index(item.path), is_short
        return 2 + ["spark", UNIT, "real", "build"].index(tiers[item]), is_short

    items.sort(key=turn)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what came of hostile inputs, where ``make fuzz`` tried many of them."""
    hostile = sys.modules.get("hostile")
    if hostile is not None and hostile.PROFILE == "long":
        terminalreporter.section("inputs by test and outcome")
        for line in hostile.table_of_outcomes():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the processes of pytest-xdist share."""
    session = tmp_path_factory.getbasetemp()
    return session if WORKER == "main" else session.parent


@pytest.fixture(scope="session")
def manifest(common: Path) -> dict[str, Any]:
    """Return dbt's manifest, compiled over raw tables without rows."""
    folder = common / "compiled"
    made_once(folder, lambda: compile_project(folder))
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def workshop(common: Path) -> Path:
    """Return the folder of all builds."""
    folder = common / "workshop"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def sample(workshop: Path) -> Sample:
    """Return the warehouse of the sample, its segmentations searched quickly."""
    warehouse = Sample(workshop / "sample", workshop)

    def make() -> None:
        raw = warehouse.folder / "raw"
        # not smaller: with fewer customers the coupon shop has no new ones, and a
        # champion may be worse than its baseline by chance
        simulate = ("customer-segmentation", "simulate", "--output")
        run_command(*simulate, str(raw))
        # nothing is predicted of the mall, and all algorithms cluster it, some of them
        # in the square of its customers
        few = warehouse.folder / "few"
        run_command(*simulate, str(few), "--customers", "1000")
        take_source_system("mall", few, raw)
        for name in ("marketplace", "online_retail", "mall", "campaigns"):
            warehouse.land(name, raw / name)
        warehouse.build(variables=QUICK_SEARCH)

    made_once(warehouse.folder, make)
    return warehouse


@pytest.fixture(scope="session")
def scored(sample: Sample) -> Scored:
    """Return the sample scored again: nothing is trained, and scores were deleted."""
    warehouse = Scored(sample.folder.with_name("scored"), sample.workshop)

    def make() -> None:
        sample.copied("scored")
        warehouse.landing.unlink()
        shutil.copytree(sample.landing, warehouse.landing)
        warehouse.add_newcomer(NEWCOMER)
        with duckdb.connect(warehouse.database) as connection:
            for table in SCORED:
                connection.execute(f"delete from {table}")
        warehouse.build(*SCORING, variables=QUICK_SEARCH)

    made_once(warehouse.folder, make)
    return warehouse


@pytest.fixture(scope="session")
def real(workshop: Path) -> Warehouse:
    """Return the public data sets, one for each source system, without predictions."""
    warehouse = Warehouse(workshop / "real", workshop)
    files = {
        "marketplace": shared_file("ecommerce-coupons/E-commerce_data.xlsx"),
        "online_retail": shared_file("online-retail/online_retail.csv.gz"),
        "mall": shared_file("mall-customers/Mall_Customers.csv"),
    }

    def make() -> None:
        for source_system, file in files.items():
            warehouse.land(source_system, file)
        # the benchmark measures the predictions of real customers
        warehouse.build(*("--exclude", *PREDICTIONS, UNIT_TESTS), variables=REAL_SEARCH)

    made_once(warehouse.folder, make)
    return warehouse


@pytest.fixture(scope="session")
def both_years(workshop: Path) -> Warehouse:
    """Return Online Retail I and II, up to what predictions are compared with."""
    warehouse = Warehouse(workshop / "both_years", workshop)
    files = [
        shared_file("online-retail/online_retail.csv.gz"),
        shared_file("online-retail-ii/online_retail_II_2009-2010.parquet"),
    ]

    def make() -> None:
        warehouse.land("online_retail", *files)
        warehouse.build(
            *("--select", "path:seeds", "path:models/staging", "path:models/core"),
            *("+int_prediction__outcomes", "--indirect-selection", "cautious"),
            *("--exclude", UNIT_TESTS),
            variables={"source_systems": ["online_retail"]},
        )

    made_once(warehouse.folder, make)
    return warehouse


@pytest.fixture(scope="session")
def mall_dirty(workshop: Path) -> Warehouse:
    """Return the mall's customers with planted errors."""
    warehouse = Warehouse(workshop / "mall_dirty", workshop)
    file = shared_file("mall-customers/Mall_Customers.dirty-variant.csv")

    def make() -> None:
        warehouse.land("mall", file)
        # the vars of the other build of the mall: dbt need not parse the project again
        warehouse.build(*(*WITHOUT_TRAINING, UNIT_TESTS), variables=ONLY_MALL)

    made_once(warehouse.folder, make)
    return warehouse


@pytest.fixture
def rebuilt(sample: Sample, request: pytest.FixtureRequest) -> Warehouse:
    """Return a copy of the sample's warehouse, to build it again."""
    return Warehouse(sample.folder, sample.workshop).copied(request.node.name)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Keep small fits from waiting for threads that busy cores do not run."""
    with threadpool_limits(limits=1):
        yield
