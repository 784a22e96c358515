"""Work that is spread over processes."""

from collections.abc import Iterable
from threading import Lock
from typing import Any

from joblib import Parallel, parallel_config

__all__ = ["spread"]

# dbt runs models in threads; two that share the processes of joblib wait for each other
# for ever
_PROCESSES = Lock()


def spread(tasks: Iterable[Any], batch_size: int | str = "auto") -> list[Any]:
    """Return what the tasks return, in their order; they share the cores.

    Each process has one thread: a sum has other bits when threads share it.

    Parameters
    ----------
    tasks : iterable
        Calls that ``joblib.delayed`` puts off.
    batch_size : int or "auto"
        How many a process takes at once.
    """
    with _PROCESSES, parallel_config("loky", n_jobs=-1, inner_max_num_threads=1):
        return Parallel(batch_size=batch_size)(tasks)
