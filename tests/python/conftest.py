"""The dbt project, built once a session on the sample and on real data."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from dbt_project import (
    NEWCOMER,
    ONLY_MALL,
    PREDICTIONS,
    QUICK_SEARCH,
    SCORED,
    SCORING,
    UNIT_TESTS,
    WITHOUT_TRAINING,
    Sample,
    Scored,
    Warehouse,
    run_command,
    shared_file,
)
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workshop")


@pytest.fixture(scope="session")
def sample(workshop: Path) -> Sample:
    """Return the warehouse of the sample, its segmentations searched quickly."""
    warehouse = Sample(workshop / "sample", workshop)
    raw = warehouse.folder / "raw"
    # not smaller: with fewer customers a coupon shop has nobody new, and a champion may
    # be worse than its baseline by chance
    run_command("customer-segmentation", "simulate", "--output", str(raw))
    for source_system in ("marketplace", "online_retail", "mall"):
        warehouse.land(source_system, raw / source_system)
    warehouse.build(variables=QUICK_SEARCH)
    return warehouse


@pytest.fixture(scope="session")
def scored(sample: Sample) -> Scored:
    """Return the sample scored again: nothing trained, no prediction left before."""
    copy = sample.copied("scored")
    warehouse = Scored(copy.folder, copy.workshop)
    warehouse.landing.unlink()
    shutil.copytree(sample.landing, warehouse.landing)
    warehouse.add_newcomer(NEWCOMER)
    with duckdb.connect(warehouse.database) as connection:
        for table in SCORED:
            connection.execute(f"delete from {table}")
    warehouse.build(*SCORING, variables=QUICK_SEARCH)
    return warehouse


@pytest.fixture(scope="session")
def real(workshop: Path) -> Warehouse:
    warehouse = Warehouse(workshop / "real", workshop)
    for source_system, path in (
        ("marketplace", "ecommerce-coupons/E-commerce_data.xlsx"),
        ("online_retail", "online-retail/online_retail.csv.gz"),
        ("mall", "mall-customers/Mall_Customers.csv"),
    ):
        warehouse.land(source_system, shared_file(path))
    # what is predicted of real customers, the benchmark measures
    warehouse.build("--exclude", *PREDICTIONS, UNIT_TESTS)
    return warehouse


@pytest.fixture(scope="session")
def both_years(workshop: Path) -> Warehouse:
    warehouse = Warehouse(workshop / "both_years", workshop)
    warehouse.land(
        "online_retail",
        shared_file("online-retail/online_retail.csv.gz"),
        shared_file("online-retail-ii/online_retail_II_2009-2010.parquet"),
    )
    warehouse.build(
        *(*WITHOUT_TRAINING, UNIT_TESTS),
        variables={"source_systems": ["online_retail"]},
    )
    return warehouse


@pytest.fixture(scope="session")
def mall_dirty(workshop: Path) -> Warehouse:
    warehouse = Warehouse(workshop / "mall_dirty", workshop)
    warehouse.land(
        "mall", shared_file("mall-customers/Mall_Customers.dirty-variant.csv")
    )
    warehouse.build(
        *(*WITHOUT_TRAINING, UNIT_TESTS),
        # as the build of one source system, which dbt need not parse anew
        variables=ONLY_MALL,
    )
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
