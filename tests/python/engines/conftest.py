"""A session of Spark, where it is installed."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from dbt_project import WITHOUT_TESTS, Warehouse, shared_file


@pytest.fixture(scope="session")
def spark_installed() -> None:
    """Skip where Spark cannot run: it is an extra, and needs Java."""
    pytest.importorskip("pyspark", reason="the extra spark is not installed")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("there is no Java")


@pytest.fixture(scope="session")
def online_retail(workshop: Path) -> Warehouse:
    """Return what needs no training of Online Retail I."""
    warehouse = Warehouse(workshop / "online_retail", workshop)
    file = shared_file("online-retail/online_retail.csv.gz")
    warehouse.land("online_retail", file)
    only = {"source_systems": ["online_retail"]}
    warehouse.build(*WITHOUT_TESTS, "tag:train+", variables=only)
    return warehouse


@pytest.fixture(scope="session")
def spark(spark_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a local session."""
    from customer_segmentation.spark import open_session

    folder: Path = tmp_path_factory.mktemp("spark")
    return open_session(
        {
            "spark.driver.memory": "1g",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.hadoop.javax.jdo.option.ConnectionURL": (
                f"jdbc:derby:;databaseName={folder}/metastore;create=true"
            ),
            "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder}",
            "spark.ui.enabled": "false",
            "spark.log.level": "ERROR",
        }
    )
