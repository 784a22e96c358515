"""A plugin of dbt-duckdb: macros ask in SQL what only Python can do with files.

They find the landed versions that a build reads, publish what it built, and mark
builds that have not ended.
"""

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection
from duckdb.sqltypes import VARCHAR

from customer_segmentation.landed import folder_in_build
from customer_segmentation.serving.publishing import Publisher
from customer_segmentation.serving.unfinished import mark_build

__all__ = ["Plugin"]


class Plugin(BasePlugin):
    """Adds functions to SQL: of landed versions, publishing and unfinished builds."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Remember the version that is being written."""
        self._publisher: Publisher | None = None

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Register the functions, which all connections of the process see."""
        for name, function, arguments in (
            ("publish_begin", self._begin, 4),
            ("publish_finish", self._finish, 1),
            ("folder_in_build", folder_in_build, 4),
            ("mark_build", mark_build, 3),
        ):
            conn.create_function(
                name, function, [VARCHAR] * arguments, VARCHAR, side_effects=True
            )

    def _begin(self, database: str, folder: str, version: str, built: str) -> str:
        if self._publisher is not None:
            # an earlier build of this process failed while it published
            self._publisher.close()
        self._publisher = Publisher(
            Path(database), Path(folder), version, Path(built)
        ).begin()
        return version

    def _finish(self, version: str) -> str:
        assert self._publisher is not None
        assert self._publisher.version == version
        self._publisher.finish()
        self._publisher = None
        return version
