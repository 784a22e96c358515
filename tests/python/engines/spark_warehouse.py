"""Run the dbt project on Spark in process, beside other builds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt_project import Warehouse

__all__ = ["SparkWarehouse"]


@dataclass(frozen=True)
class SparkWarehouse(Warehouse):
    """A warehouse on Spark: its folder holds the tables and the files of dbt."""

    @classmethod
    def on_landing_of(cls, warehouse: Warehouse, name: str) -> "SparkWarehouse":
        """Return a new warehouse beside another one, on the same landing zone."""
        other = warehouse.beside(name)
        return cls(other.folder, other.workshop)

    @property
    def tables_folder(self) -> Path:
        """The folder of the schemas."""
        return self.folder / "spark" / "warehouse"

    @property
    def logs(self) -> Path:
        """The folder of dbt's log."""
        return self.folder / "logs"

    def target(self, variables: Mapping[str, object] | None = None) -> Path:
        """Return dbt's target folder."""
        return self.folder / "target"

    def build(self, *arguments: str, **options: Any) -> None:
        """Build the project, which must succeed."""
        super().build("--target", "spark", *arguments, **options)

    def put_in_place(self) -> Path:
        """Return the folder: a build on Spark has a target folder of its own."""
        return self.folder

    def _environment(self, threads: int) -> dict[str, str]:
        environment = super()._environment(threads)
        environment.pop("SPARK_REMOTE", None)
        return environment | {
            "CUSTOMER_SEGMENTATION_SPARK": f"{self.folder}/spark",
            # small tables: a partition more is a task more for each of many statements
            "CUSTOMER_SEGMENTATION_SHUFFLE_PARTITIONS": "2",
            # a build is too short for better compiled code to pay off, and too small
            # for threads that collect garbage beside it
            "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        }
