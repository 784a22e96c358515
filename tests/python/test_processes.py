"""Two threads that spread their work over the processes do not wait for each other."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from operator import mul

from joblib import delayed

from customer_segmentation.processes import spread


def spread_in_turns(factor: int) -> list[list[int]]:
    tasks = partial(map, delayed(mul), range(40), [factor] * 40)
    return [spread(tasks(), batch_size=size) for size in (1, 8, "auto") for _ in "abc"]


def test_threads_share_the_processes():
    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(spread_in_turns, factor) for factor in (2, 3)]
        found = [one.result(timeout=120) for one in running]
    for factor, results in zip((2, 3), found, strict=True):
        assert results == [[factor * number for number in range(40)]] * 9
