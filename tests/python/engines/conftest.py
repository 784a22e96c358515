"""A session of Spark, where it is installed."""

from pathlib import Path
from typing import Any

import pytest
from dbt_project import QUICK_SEARCH, WITHOUT_TESTS, Sample, Warehouse
from spark_warehouse import SparkWarehouse, on_spark

from customer_segmentation.errors import InputError


@pytest.fixture(scope="session")
def spark_installed() -> None:
    """Skip where Spark cannot run: it is an extra, and needs Java."""
    pytest.importorskip("pyspark", reason="the extra spark is not installed")
    from customer_segmentation.spark.java import check_java

    try:
        check_java()
    except InputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def sample_on_spark(spark_installed: None, sample: Sample) -> SparkWarehouse:
    """Return the sample; its data tests would say again what the comparison says."""
    # a path may have blanks
    warehouse = on_spark(sample, "sample on spark")
    warehouse.build("--exclude", "resource_type:test", variables=QUICK_SEARCH)
    return warehouse


@pytest.fixture(scope="session")
def both_years_on_spark(spark_installed: None, both_years: Warehouse) -> SparkWarehouse:
    """Return what needs no training of Online Retail I and II."""
    warehouse = on_spark(both_years, "both years on spark")
    only = {"source_systems": ["online_retail"]}
    warehouse.build(*WITHOUT_TESTS, "tag:train+", variables=only)
    return warehouse


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
        "spark.driver.extraJavaOptions": f'"-Dderby.system.home={folder}"',
        "spark.ui.enabled": "false",
    }
    profile = {"schema": "main", "server_side_parameters": parameters}
    credentials = Plugin.credentials.from_dict(profile)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SPARK_REMOTE", raising=False)
        return open_session(credentials.server_side_parameters)
