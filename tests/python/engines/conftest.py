"""A session of Spark, and builds on it, where it is installed.

Builds on Spark take long and leave cores idle, so they run while other tests do: those
that look at them come last.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from dbt_project import QUICK_SEARCH, WITHOUT_TESTS, Sample, Warehouse
from spark_warehouse import SparkWarehouse

from customer_segmentation.errors import InputError

BUILDS = {"sample_on_spark", "real_on_spark"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the tests that look at builds on Spark to the end."""
    items.sort(key=looks_at_builds)


def looks_at_builds(item: pytest.Item) -> bool:
    """Whether a test needs a build on Spark."""
    return not BUILDS.isdisjoint(getattr(item, "fixturenames", ()))


def lack_of_spark() -> str:
    """Return why Spark, which is an extra and needs Java, cannot run here."""
    if find_spec("pyspark") is None:
        return "the extra spark is not installed"
    from customer_segmentation.spark.java import check_java

    try:
        check_java()
    except InputError as error:
        return str(error)
    return ""


@pytest.fixture(scope="session")
def spark_installed() -> None:
    """Skip where Spark cannot run."""
    if lack := lack_of_spark():
        pytest.skip(lack)


@pytest.fixture(autouse=True)
def _builds_begin(request: pytest.FixtureRequest) -> None:
    """Start the builds before the first test on Spark, if a later test needs them."""
    is_on_spark = request.node.get_closest_marker("spark") is not None
    is_needed = is_on_spark and any(map(looks_at_builds, request.session.items))
    if is_needed and not lack_of_spark():
        request.getfixturevalue("builds")


@pytest.fixture(scope="session")
def builds(
    spark_installed: None, sample: Sample, real: Warehouse
) -> Iterator[list[Future[SparkWarehouse]]]:
    """Return the builds on Spark, one of which runs at a time."""
    with ThreadPoolExecutor(1) as background:
        yield [
            background.submit(build_sample, sample),
            background.submit(build_real, real),
        ]


def build_sample(sample: Sample) -> SparkWarehouse:
    """Build the sample, and run the unit tests of what is dispatched by engine.

    Its data tests, and other unit tests, would say what the comparison says.
    """
    # a path may have blanks
    warehouse = SparkWarehouse.on_landing_of(sample, "sample on spark")
    others = (
        f"resource_type:unit_test,path:models/{folder}"
        for folder in (
            *("core", "products", "features", "rfm", "segmentation", "prediction"),
            *("movement", "exploration"),
        )
    )
    warehouse.build(
        *("--exclude", "resource_type:test", *others), variables=QUICK_SEARCH
    )
    return warehouse


def build_real(real: Warehouse) -> SparkWarehouse:
    """Build transactions, and what is measured of customers."""
    warehouse = SparkWarehouse.on_landing_of(real, "real on spark")
    measured = ("--select", "+customer_rfm", "+transaction_lines", "+rejected_records")
    warehouse.build(*measured, *WITHOUT_TESTS)
    return warehouse


@pytest.fixture(scope="session")
def sample_on_spark(builds: list[Future[SparkWarehouse]]) -> SparkWarehouse:
    """Return the sample."""
    return builds[0].result()


@pytest.fixture(scope="session")
def real_on_spark(builds: list[Future[SparkWarehouse]]) -> SparkWarehouse:
    """Return the public data sets."""
    return builds[1].result()


@pytest.fixture(scope="session")
def spark(spark_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a local session, as the adapter opens it."""
    from dbt.adapters.sparksession import Plugin

    from customer_segmentation.spark import open_session

    # what a path may hold that a URL may not
    folder: Path = tmp_path_factory.mktemp("spark a#b a%20b it's")
    parameters = {
        "spark.driver.memory": "1g",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.hadoop.javax.jdo.option.ConnectionURL": (
            "jdbc:derby:;databaseName=metastore;create=true"
        ),
        "spark.driver.extraJavaOptions": (
            # for short jobs, a quick start counts most
            f'"-Dderby.system.home={folder}" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC'
        ),
        "spark.ui.enabled": "false",
    }
    profile = {"schema": "main", "server_side_parameters": parameters}
    credentials = Plugin.credentials.from_dict(profile)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SPARK_REMOTE", raising=False)
        return open_session(credentials.server_side_parameters)
