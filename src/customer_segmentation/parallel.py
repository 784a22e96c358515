"""Work on several cores: processes share the tasks, and one thread does the arithmetic.

Floating-point sums depend on the number of threads. Every fit and every prediction
therefore runs in one thread, and only whole tasks run in parallel.
"""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Any, Literal

from joblib import Parallel, parallel_config
from threadpoolctl import OpenBLASController, ThreadpoolController

__all__ = ["run_parallel", "single_threaded"]

# dbt runs models in threads; two threads that use the worker processes of joblib at the
# same time wait for each other forever
_workers = Lock()

# how often a worker looks whether the process that started it is still there
WATCH_SECONDS = 1.0

# BLAS has one limit for all threads of a process: it ends when the last thread leaves
_counting = Lock()
_threads_inside = 0
_blas_limit: "_BlasLimit | None" = None


def run_parallel(
    tasks: Iterable[Any], batch_size: int | Literal["auto"] = "auto"
) -> list[Any]:
    """Run tasks in one process per core, each with one thread.

    Parameters
    ----------
    tasks : iterable
        Calls made with ``joblib.delayed``.
    batch_size : int or "auto"
        Number of tasks that a process takes at a time.

    Returns
    -------
    list
        The results, in the order of the tasks.

    Examples
    --------
    >>> from joblib import delayed
    >>> run_parallel(delayed(divmod)(number, 2) for number in range(3))
    [(0, 0), (0, 1), (1, 0)]
    """
    processes = parallel_config(
        "loky",
        n_jobs=-1,
        inner_max_num_threads=1,
        initializer=_end_with,
        initargs=(os.getpid(),),
    )
    # on one core, joblib runs the tasks in this process
    with _workers, single_threaded(), processes:
        results: list[Any] = Parallel(batch_size=batch_size)(tasks)
    return results


def _end_with(parent: int) -> None:
    """Let this worker end when its parent is gone: one that is killed cannot end it.

    Linux could send a signal, but does so when the thread that started the worker ends,
    and threads of dbt end before their workers do.
    """

    def watch() -> None:
        # an orphan gets another parent
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


@contextmanager
def single_threaded() -> Iterator[None]:
    """Limit BLAS and OpenMP to one thread.

    Use it as a context manager, ``with single_threaded():``, or as a decorator,
    ``@single_threaded()``. Several threads may be inside at the same time: none of them
    lifts the limit of another when it leaves.

    Examples
    --------
    >>> @single_threaded()
    ... def double(value):
    ...     return 2 * value
    >>> double(4)
    8
    """
    global _threads_inside, _blas_limit
    # each thread has its own limit of OpenMP
    with ThreadpoolController().select(user_api="openmp").limit(limits=1):
        with _counting:
            if not _threads_inside:
                _blas_limit = _BlasLimit()
            _threads_inside += 1
        try:
            yield
        finally:
            with _counting:
                _threads_inside -= 1
                if not _threads_inside and _blas_limit is not None:
                    _blas_limit.end()


class _BlasLimit:
    """Limits BLAS to one thread, from now until ``end``.

    threadpoolctl lets one thread change the limits of OpenBLAS, and ignores all others
    without a word. A thread of its own, which ends with the limit, is that thread:
    threads that come and go, and the limits that scikit-learn sets in them, change
    nothing.
    """

    def __init__(self) -> None:
        self._has_begun, self._may_end = Event(), Event()
        self._thread = Thread(target=self._hold, daemon=True)
        self._thread.start()
        self._has_begun.wait()

    def end(self) -> None:
        """Restore the number of threads, then return."""
        self._may_end.set()
        self._thread.join()

    def _hold(self) -> None:
        try:
            OpenBLASController.clear_controlling_thread(force=True)
            with ThreadpoolController().select(user_api="blas").limit(limits=1):
                self._has_begun.set()
                self._may_end.wait()
        finally:
            self._has_begun.set()
