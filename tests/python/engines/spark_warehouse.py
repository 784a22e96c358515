"""Running the dbt project on Spark, in process, beside other builds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt_project import Warehouse

__all__ = ["SparkWarehouse"]


@dataclass(frozen=True)
class SparkWarehouse(Warehouse):
    """A folder that Spark builds its tables in, and dbt writes all else of it to."""

    @classmethod
    def on_landing_of(cls, warehouse: Warehouse, name: str) -> "SparkWarehouse":
        """Return a new one beside a warehouse, on the same landing zone."""
        other = warehouse.beside(name)
        return cls(other.folder, other.workshop)

    @property
    def tables_folder(self) -> Path:
        """Where the schemas are."""
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

    def _place(self) -> Path:
        return self.folder

    def _environment(self, threads: int) -> dict[str, str]:
        environment = super()._environment(threads)
        environment.pop("SPARK_REMOTE", None)
        return environment | {
            "CUSTOMER_SEGMENTATION_SPARK": f"{self.folder}/spark",
            # a build ends before code that is compiled better has paid for it
            "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1",
        }
