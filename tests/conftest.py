"""Which tests run in one process, where pytest-xdist has several."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# a session of Spark, and the builds on it, are one process's
SPARK_FOLDERS = ("tests/python/engines/", "tests/python/spark/")


class FileScheduling(LoadScopeScheduling):
    """A file is one unit of work, and so are all files about Spark.

    Fixtures of a module are made once then. ``--dist loadgroup`` would say it with
    marks, but pytest-xdist 3.8 does not find them with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "spark" if nodeid.startswith(SPARK_FOLDERS) else nodeid.split("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FileScheduling:
    """Return the scheduler of this project."""
    return FileScheduling(config, log)
