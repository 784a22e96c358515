"""Threads neither wait for each other's processes nor lift each other's limits."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from operator import mul
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from joblib import delayed
from threadpoolctl import OpenBLASController, threadpool_info, threadpool_limits

from customer_segmentation.parallel import run_parallel, single_threaded


@contextmanager
def limit_of_scikit_learn() -> Iterator[None]:
    with threadpool_limits(limits=1, user_api="blas"):
        yield


def blas_threads() -> set[int]:
    assert np.linalg.norm([3, 4]) == 5
    found = threadpool_info()
    return {one["num_threads"] for one in found if one["user_api"] == "blas"}


def run_several_times(factor: int) -> list[list[int]]:
    tasks = partial(map, delayed(mul), range(40), [factor] * 40)
    return [
        run_parallel(tasks(), batch_size=size) for size in (1, 8, "auto") for _ in "abc"
    ]


def test_two_threads_can_run_tasks_in_parallel():
    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(run_several_times, factor) for factor in (2, 3)]
        found = [one.result(timeout=120) for one in running]
    for factor, results in zip((2, 3), found, strict=True):
        assert results == [[factor * number for number in range(40)]] * 9


@pytest.fixture
def two_blas_threads():
    with threadpool_limits(limits=2, user_api="blas"):
        # as at the start of a process, any thread may change the limit
        OpenBLASController.clear_controlling_thread(force=True)
        yield


@pytest.mark.usefixtures("two_blas_threads")
def test_a_task_has_one_thread_on_one_core_too(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert run_parallel([delayed(blas_threads)()]) == [{1}]
    assert blas_threads() == {2}


@pytest.mark.usefixtures("two_blas_threads")
def test_the_limit_ends_with_the_outermost_block():
    @single_threaded()
    def inner() -> set[int]:
        return blas_threads()

    with single_threaded():
        assert inner() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def limits_while_another_ends(other: AbstractContextManager[None]) -> set[int]:
    """Return the threads of BLAS in a block, while another thread leaves its own."""
    has_entered, may_leave = Event(), Event()

    def enter_and_leave() -> None:
        with other:
            has_entered.set()
            may_leave.wait()

    thread = Thread(target=enter_and_leave)
    thread.start()
    has_entered.wait()
    with single_threaded():
        may_leave.set()
        thread.join()
        return blas_threads()


@pytest.mark.usefixtures("two_blas_threads")
def test_a_thread_that_leaves_keeps_the_limit_of_another():
    assert limits_while_another_ends(single_threaded()) == {1}
    assert blas_threads() == {2}


@pytest.mark.usefixtures("two_blas_threads")
def test_threads_that_take_turns_keep_the_limit():
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        outer, inner = single_threaded(), single_threaded()
        one.submit(outer.__enter__).result()
        other.submit(inner.__enter__).result()
        other.submit(inner.__exit__, None, None, None).result()
        one.submit(outer.__exit__, None, None, None).result()
        for thread in (other, one):
            assert thread.submit(single_threaded()(blas_threads)).result() == {1}
            assert blas_threads() == {2}


@pytest.mark.usefixtures("two_blas_threads")
def test_a_limit_of_scikit_learn_does_not_lift_this_one():
    assert limits_while_another_ends(limit_of_scikit_learn()) == {1}


@pytest.mark.usefixtures("two_blas_threads")
def test_an_error_ends_the_limit():
    with pytest.raises(ValueError, match="bad"), single_threaded():
        raise ValueError("bad")
    assert blas_threads() == {2}


PROGRAM = """
import os, time
from joblib import delayed
from customer_segmentation.parallel import run_parallel

def work(seconds):
    print(os.getpid(), flush=True)
    time.sleep(seconds)

run_parallel(delayed(work)(120) for _ in range(2))
"""


def is_running(process: int) -> bool:
    """Whether a process is there, and is not only waiting for its parent to look."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
def test_workers_end_with_a_parent_that_is_killed():
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"LOKY_MAX_CPU_COUNT": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        assert len({parent.pid, *workers}) == 3
        parent.kill()
    deadline = time.monotonic() + 60
    while any(map(is_running, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [worker for worker in workers if is_running(worker)]
    for worker in left:
        os.kill(worker, signal.SIGKILL)
    assert left == []
