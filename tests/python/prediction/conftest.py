"""Tests of predictions run in one process and one thread.

Handing small tasks to other processes or threads takes longer than doing them.
"""

from collections.abc import Iterator

import pytest

from customer_segmentation.parallel import single_threaded


@pytest.fixture(autouse=True, scope="module")
def in_one_thread() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, single_threaded():
        patch.setenv("LOKY_MAX_CPU_COUNT", "1")
        yield
