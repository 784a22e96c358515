"""Running the dbt project on Spark, in process."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dbt_project import Warehouse

__all__ = ["SparkWarehouse", "on_spark"]


@dataclass(frozen=True)
class SparkWarehouse(Warehouse):
    """A folder that Spark builds its tables in."""

    @property
    def tables_folder(self) -> Path:
        """Where the schemas are."""
        return self.folder / "spark" / "warehouse"

    def build(self, *arguments: str, **options: Any) -> None:
        """Build the project in process, which must succeed."""
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("SPARK_REMOTE", raising=False)
            patch.setenv("CUSTOMER_SEGMENTATION_SPARK", str(self.folder / "spark"))
            super().build("--target", "spark", *arguments, **options)


def on_spark(warehouse: Warehouse, name: str) -> SparkWarehouse:
    """Return a folder beside a warehouse, on the same landing zone."""
    other = warehouse.beside(name)
    return SparkWarehouse(other.folder, other.workshop)
