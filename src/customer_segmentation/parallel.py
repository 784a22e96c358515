"""Work on several cores: processes share the tasks, and one thread does the arithmetic.

Floating-point sums depend on the number of threads. Every fit and every prediction
therefore runs in one thread, and only whole tasks run in parallel.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Any, Literal

from joblib import Parallel, parallel_config
from threadpoolctl import ThreadpoolController

__all__ = ["run_parallel", "single_threaded"]

# dbt runs models in threads; two threads that use the worker processes of joblib at the
# same time wait for each other forever
_workers = Lock()

# the limits of BLAS are those of the process: they end when the last thread leaves
_counting = Lock()
_blas_limits = ExitStack()
_threads_inside = 0


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
    processes = parallel_config("loky", n_jobs=-1, inner_max_num_threads=1)
    # on one core, joblib runs the tasks in this process
    with _workers, single_threaded(), processes:
        results: list[Any] = Parallel(batch_size=batch_size)(tasks)
    return results


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
    global _threads_inside
    libraries = ThreadpoolController()
    # each thread has its own limit of OpenMP
    with libraries.select(user_api="openmp").limit(limits=1):
        with _counting:
            _threads_inside += 1
            blas = libraries.select(user_api="blas")
            _blas_limits.enter_context(blas.limit(limits=1))
        try:
            yield
        finally:
            with _counting:
                _threads_inside -= 1
                if not _threads_inside:
                    _blas_limits.close()
