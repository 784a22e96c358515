"""Show how far a build is: a line that changes on a terminal, plain lines elsewhere."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Event, RLock, Thread
from types import TracebackType
from typing import Self, TextIO

__all__ = ["Estimates", "Node", "Progress", "is_terminal"]

# a node that takes longer is announced, and remains on the screen when it has finished
LONG_SECONDS = 15
# before this share of the work is done, its pace is not known
KNOWN_SHARE = 0.05
REFRESH_SECONDS = 0.5
# without an earlier build: seconds on the simulated sample, on two cores
TYPICAL_SECONDS = {
    "int_products__fits": 15.0,
    "int_segmentation__candidates": 70.0,
    "int_prediction__backtests": 19.0,
    "int_prediction__segment_backtests": 6.0,
    "int_prediction__evaluations": 5.0,
    "int_prediction__models": 5.0,
    "int_movement__rhythm_fits": 4.0,
}
TYPICAL_SECONDS_OF_A_KIND = {"model": 0.3, "seed": 0.1, "test": 0.05, "unit_test": 0.2}
# tests that pass are counted, not listed
LISTED = ("model", "seed", "snapshot")


@dataclass(frozen=True)
class Node:
    """A node that dbt builds.

    Parameters
    ----------
    id : str
        Its unique id, such as ``model.customer_segmentation.customers``.
    name : str
        Its name.
    """

    id: str
    name: str

    @property
    def kind(self) -> str:
        """What it is, such as ``model`` or ``unit_test``."""
        return self.id.partition(".")[0]

    @classmethod
    def of(cls, unique_id: str) -> Self:
        """Return the node of a unique id.

        Examples
        --------
        >>> Node.of("test.shop.not_null_customers_customer_key.3fa4").name
        'not_null_customers_customer_key'
        """
        kind, _, *names = unique_id.split(".")
        return cls(unique_id, names[-1] if kind == "unit_test" else names[0])


@dataclass(frozen=True)
class Estimates:
    """How long nodes take.

    Parameters
    ----------
    seconds : mapping of str to float
        Of the last build, by unique id.
    nodes : frozenset of str
        Unique ids of all nodes of this build; empty if they are not known.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)
    nodes: frozenset[str] = frozenset()

    def of(self, node: Node) -> float:
        """Return the expected seconds of a node."""
        typical = TYPICAL_SECONDS_OF_A_KIND.get(node.kind, 0.1)
        return self.seconds.get(node.id, TYPICAL_SECONDS.get(node.name, typical))

    def share(self, finished: Iterable[Node], running: Mapping[Node, float]) -> float:
        """Return the share of the work that is done.

        Parameters
        ----------
        finished : iterable of Node
            What has been built.
        running : mapping of Node to float
            What is being built, and for how many seconds.
        """
        total = sum(self.of(Node.of(node)) for node in self.nodes)
        done = sum(map(self.of, finished))
        done += sum(min(spent, self.of(node)) for node, spent in running.items())
        return min(done / total, 1.0) if total else 0.0


class Progress:
    """The nodes of a build that have finished, and those that are being built.

    Use it as a context manager. All methods can be called from several threads.

    Parameters
    ----------
    stream : file, optional
        Where to print.
    live : bool, optional
        Whether one line is printed over and over. By default, on a terminal.
    clock : callable, optional
        Returns seconds.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        live: bool | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = sys.stdout if stream is None else stream
        self.is_live = is_terminal(self._stream) if live is None else live
        self._clock = clock
        self._lock = RLock()
        self._start = clock()
        self._total = 0
        self._estimates = Estimates()
        self._finished: list[Node] = []
        self._running: dict[Node, float] = {}
        self._closing = Event()
        self._ticker = Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        """Begin to refresh the line."""
        if self.is_live:
            self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the line."""
        self._closing.set()
        if self.is_live:
            self._ticker.join()
            self._write("")

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._start

    def expect(self, total: int, estimates: Estimates) -> None:
        """Say how many nodes the build has, and how long they take.

        Parameters
        ----------
        total : int
            Number of nodes.
        estimates : Estimates
            If it does not know all nodes, the time left is not shown.
        """
        with self._lock:
            self._total = total
            known = len(estimates.nodes) == total
            nodes = estimates.nodes if known else frozenset()
            self._estimates = Estimates(estimates.seconds, nodes)
            self._start = self._clock()

    def start(self, node: Node) -> None:
        """Say that dbt has begun to build a node."""
        with self._lock:
            self._running[node] = self._clock()
            expected = self._estimates.of(node)
            if self._total and not self.is_live and expected >= LONG_SECONDS:
                self.say(
                    f"{self._count()} {node.kind} {node.name} takes"
                    f" {in_words(expected)}"
                )

    def finish(self, node: Node, seconds: float) -> None:
        """Say that dbt has built a node, or failed to."""
        with self._lock:
            self._running.pop(node, None)
            self._finished.append(node)
            if node.kind in LISTED and (not self.is_live or seconds >= LONG_SECONDS):
                self.say(f"{self._count()} {node.kind} {node.name} {seconds:.1f} s")
            else:
                self.refresh()

    def say(self, text: str) -> None:
        """Print a line that stays."""
        with self._lock:
            if self.is_live:
                self._write("")
            print(text, file=self._stream, flush=True)
            self.refresh()

    def refresh(self) -> None:
        """Print the changing line."""
        with self._lock:
            if self.is_live and self._total and not self._closing.is_set():
                self._write(self.line())

    def line(self) -> str:
        """Return what is done, what is left and what is being built."""
        with self._lock:
            now = self._clock()
            spent = {node: now - since for node, since in self._running.items()}
            parts = [clock_time(self.elapsed)]
            if (left := self._seconds_left(spent)) is not None:
                parts.append(f"{in_words(left)} left")
            longest = sorted(spent, key=lambda node: -spent[node])
            building = ", ".join(self._described(node, spent[node]) for node in longest)
            return f"{self._count()} {', '.join(parts)}" + (
                f": {building}" if building else ""
            )

    def _count(self) -> str:
        total = str(self._total)
        return f"[{len(self._finished):>{len(total)}} of {total}]"

    def _described(self, node: Node, spent: float) -> str:
        expected = self._estimates.of(node)
        if max(spent, expected) < LONG_SECONDS:
            return node.name
        of = f" of about {clock_time(expected)}" if expected > spent else ""
        return f"{node.name} ({clock_time(spent)}{of})"

    def _seconds_left(self, spent: Mapping[Node, float]) -> float | None:
        share = self._estimates.share(self._finished, spent)
        if share < KNOWN_SHARE:
            return None
        return self.elapsed * (1 - share) / share

    def _write(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(f"\r\x1b[K{text[:width]}")
        self._stream.flush()

    def _tick(self) -> None:
        while not self._closing.wait(REFRESH_SECONDS):
            self.refresh()


def is_terminal(stream: TextIO) -> bool:
    """Whether a person is watching: a terminal, and no continuous integration."""
    is_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    return stream.isatty() and not is_ci


def clock_time(seconds: float) -> str:
    """Return minutes and seconds.

    Examples
    --------
    >>> clock_time(125.4)
    '2:05'
    """
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def in_words(seconds: float) -> str:
    """Return a rough duration.

    Examples
    --------
    >>> in_words(20), in_words(70), in_words(100)
    ('less than a minute', 'about 1 minute', 'about 2 minutes')
    """
    minutes = round(seconds / 60)
    if seconds < 45:
        return "less than a minute"
    return f"about {minutes} minute{'s' if minutes > 1 else ''}"
