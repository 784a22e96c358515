"""Run ``dbt build``: show its progress, and say in words what tests found."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

from customer_segmentation.progress import Estimates, Node, Progress, clock_time

__all__ = ["build"]

DURATIONS = "durations.json"
# dbt's own lines about nodes, which are printed in other words here
ABOUT_NODES = ("Log", "RunResult")
# what a macro tells the user, such as whether the tables were published
OF_MACROS = "JinjaLogInfo"
# of a test that has no column `message`
SHOWN_ROWS = 3
SHOWN_MESSAGES = 20
# why dbt itself failed, and where in its code, which is in its log
ERROR_OF_DBT, TRACE_OF_DBT = "MainEncounteredError", "MainStackTrace"
TRACE = "Traceback (most recent call last):"
# an error of ours has a message that needs no traceback
OUR_ERROR = "InputError: "
BUILT = ("model", "seed", "test", "snapshot")


def build(arguments: Sequence[str], progress: Progress | None = None) -> int:
    """Build the project.

    Parameters
    ----------
    arguments : sequence of str
        What follows ``dbt build`` on the command line.
    progress : Progress, optional
        By default one that prints to stdout.

    Returns
    -------
    int
        The exit code that dbt would have: 0, 1 if a node failed, 2 if dbt itself did.
    """
    # worker processes import the main module: it must not import dbt
    from dbt.cli.main import dbtRunner

    with progress or Progress() as shown:
        listener = Listener(shown)
        runner = dbtRunner(callbacks=[listener])
        colors = [] if shown.is_live else ["--no-use-colors"]
        outcome = runner.invoke(["build", "--log-level", "none", *colors, *arguments])
        results = list(getattr(outcome.result, "results", None) or [])
        listener.remember()
        for line in findings(results):
            shown.say(line)
        if results:
            shown.say(summary(results, shown.elapsed))
        elif outcome.exception is not None and not listener.has_said_why:
            shown.say(f"Error: {outcome.exception}")
    if outcome.success:
        return 0
    return 1 if outcome.exception is None else 2


class Listener:
    """Passes what dbt says on to a `Progress`.

    Parameters
    ----------
    progress : Progress
        What shows it.
    """

    def __init__(self, progress: Progress) -> None:
        self.has_said_why = False
        self._progress = progress
        self._folder: Path | None = None
        self._target = ""
        self._seconds: dict[str, float] = {}
        self._is_expected = False

    def __call__(self, event: Any) -> None:
        """Take an event of dbt; several threads have events at the same time."""
        name, data = event.info.name, event.data
        if name == "ArtifactWritten":
            # the manifest, before anything is built
            self._folder = Path(data.artifact_path).parent
        elif name == "ConcurrencyLine":
            self._target = data.target_name
        elif name == "LogStartLine" and not self._is_expected:
            self._is_expected = True
            self._progress.expect(data.total, self._estimates())
        elif name == "NodeStart":
            self._progress.start(node_of(data))
        elif name == "NodeFinished":
            node = node_of(data)
            seconds = data.run_result.execution_time
            self._seconds[node.id] = seconds
            self._progress.finish(node, seconds)
        elif name == OF_MACROS:
            self._progress.say(event.info.msg)
        elif name == ERROR_OF_DBT:
            self.has_said_why = True
            self._progress.say(f"Error: {without_kind(event.info.msg)}")
        elif name == TRACE_OF_DBT:
            pass
        elif event.info.level in ("warn", "error") and not name.startswith(ABOUT_NODES):
            self.has_said_why |= event.info.level == "error"
            self._progress.say(event.info.msg)

    def remember(self) -> None:
        """Keep the durations beside dbt's manifest, for the next build."""
        if self._folder and self._seconds:
            known = read_durations(self._folder)
            known[self._target] = known.get(self._target, {}) | {
                node: round(seconds, 2) for node, seconds in self._seconds.items()
            }
            (self._folder / DURATIONS).write_text(json.dumps(known), encoding="utf-8")

    def _estimates(self) -> Estimates:
        if self._folder is None:
            return Estimates()
        seconds = read_durations(self._folder).get(self._target, {})
        return Estimates(seconds, frozenset(all_nodes(self._folder)))


def node_of(data: Any) -> Node:
    """Return the node of an event."""
    return Node.of(data.node_info.unique_id)


def read_durations(folder: Path) -> dict[str, dict[str, float]]:
    """Return the seconds of the last build of each node, by target of the profile."""
    try:
        found: dict[str, dict[str, float]] = json.loads(
            (folder / DURATIONS).read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        return {}
    return found


def all_nodes(folder: Path) -> list[str]:
    """Return the unique ids of what dbt builds if nothing is selected."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    nodes = [
        key
        for key, node in manifest["nodes"].items()
        if node["resource_type"] in BUILT
        and node["config"].get("materialized") != "ephemeral"
    ]
    others = ("unit_tests", "exposures")
    return [*nodes, *(key for kind in others for key in manifest.get(kind, {}))]


def findings(results: Sequence[Any]) -> list[str]:
    """Return what failed and what warned, failures last.

    Parameters
    ----------
    results : sequence
        dbt's results, one for each node.

    Returns
    -------
    list of str
        A line for each node, and indented lines that say why.
    """
    lines = []
    for status in ("warn", "fail", "error"):
        for result in results:
            if result.status == status:
                lines.append(
                    f"{status.upper()} {result.node.name}"
                    f" ({result.node.original_file_path})"
                )
                lines += [f"  {line}" for line in reasons(result)]
    return lines


def reasons(result: Any) -> list[str]:
    """Return why a node failed, or what a test found."""
    message = (result.message or "").strip()
    if result.status == "error" or result.node.resource_type != "test":
        return cause(message)
    try:
        rows = rows_of(result.node.compiled_code)
    except Exception as error:  # whatever the adapter raises: the test itself has run
        return [message, f"its rows cannot be read: {error}"]
    return described(rows) or [message]


def cause(message: str) -> list[str]:
    r"""Return the lines of an error, without the trace that a Python model leaves.

    Examples
    --------
    >>> trace = "Traceback (most recent call last):\n  File x\nValueError: no rows"
    >>> cause(f"Python model failed:\n{trace}")
    ['ValueError: no rows', "The trace is in dbt's log."]
    """
    if OUR_ERROR in message:
        return message.rpartition(OUR_ERROR)[2].strip().splitlines()
    lines = message.splitlines()
    last = max((n for n, line in enumerate(lines) if line.strip() == TRACE), default=-1)
    if last < 0:
        return lines
    margin = indentation(lines[last])
    for number, line in enumerate(lines[last + 1 :], start=last + 1):
        # where the code stands is indented further
        if line.strip() and indentation(line) <= margin:
            said = [one[margin:] for one in lines[number:] if one.strip()]
            return [*said, "The trace is in dbt's log."]
    return lines


def indentation(line: str) -> int:
    """Return the number of spaces that a line begins with."""
    return len(line) - len(line.lstrip())


def without_kind(error: str) -> str:
    r"""Return what dbt says of an error, without the lines that name no cause.

    Examples
    --------
    >>> without_kind("Encountered an error:\nRuntime Error\n  The var is wrong.")
    'The var is wrong.'
    """
    text = error.rpartition("Encountered an error:\n")[2]
    kind, _, cause_of_it = text.partition("\n")
    return dedent(cause_of_it).strip() if kind.strip() == "Runtime Error" else text


def rows_of(query: str) -> list[dict[str, Any]]:
    """Return the rows of a query, through the adapter of the build that has ended."""
    from dbt.adapters.factory import FACTORY

    adapters: list[Any] = list(FACTORY.adapters.values())
    [adapter] = adapters
    try:
        with adapter.connection_named("findings"):
            _, table = adapter.execute(query, fetch=True)
    finally:
        adapter.cleanup_connections()
    return [dict(zip(table.column_names, row, strict=True)) for row in table.rows]


def described(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return rows as sentences: their column ``message``, or else all columns.

    Examples
    --------
    >>> described([{"shop": "mall", "message": "mall: 3 customers are missing."}])
    ['mall: 3 customers are missing.']
    >>> described([{"shop": "mall", "customers": 3}])
    ['shop = mall, customers = 3']
    """
    texts = [
        str(row["message"])
        if "message" in row
        else ", ".join(f"{name} = {value}" for name, value in row.items())
        for row in rows
    ]
    shown = SHOWN_MESSAGES if rows and "message" in rows[0] else SHOWN_ROWS
    more = len(texts) - shown
    return texts[:shown] + ([f"and {more:,} more"] if more > 0 else [])


def summary(results: Sequence[Any], seconds: float) -> str:
    """Return one line that says what was built, and how it ended."""
    kinds = Counter(
        str(result.node.resource_type)
        for result in results
        if str(result.status) == "success"
    )
    statuses = Counter(str(result.status) for result in results)
    counts = [
        counted(kinds["model"], "model"),
        counted(kinds["seed"], "seed"),
        counted(statuses["pass"], "passed test"),
        counted(statuses["warn"], "warning"),
        counted(statuses["fail"], "failure"),
        counted(statuses["error"], "error"),
        counted(statuses["skipped"], "skipped node"),
    ]
    return f"{', '.join(filter(None, counts))} in {clock_time(seconds)}"


def counted(count: int, what: str) -> str:
    """Return a number and its noun, or nothing where there is none."""
    return f"{count:,} {what}{'' if count == 1 else 's'}" if count else ""
