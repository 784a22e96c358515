"""A build says how far it is, and what its tests found."""

import io
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from customer_segmentation import build as building
from customer_segmentation.build import Listener, all_nodes, findings, summary
from customer_segmentation.progress import Estimates, Node, Progress, is_terminal

SEARCH = Node.of("model.shop.int_segmentation__candidates")
CUSTOMERS = Node.of("model.shop.customers")
TEST = Node.of("test.shop.unique_customers_customer_key.3fa4")


class Clock:
    """Tells the time that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.seconds


class Screen(io.StringIO):
    """A stream that is a terminal or not."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        """Say what it is."""
        return self.is_terminal


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plain(clock: Clock) -> Progress:
    return Progress(Screen(is_terminal=False), clock=clock)


@pytest.fixture
def live(clock: Clock) -> Iterator[Progress]:
    with Progress(Screen(is_terminal=True), live=True, clock=clock) as progress:
        yield progress


def printed(progress: Progress) -> str:
    return progress._stream.getvalue()


def three_nodes(seconds: dict[Node, float]) -> Estimates:
    nodes = frozenset(node.id for node in (SEARCH, CUSTOMERS, TEST))
    return Estimates({node.id: value for node, value in seconds.items()}, nodes)


# ---------- plain lines


def test_plain_lines_list_models_and_count_tests(plain: Progress) -> None:
    plain.expect(3, Estimates())
    for node, seconds in ((CUSTOMERS, 0.84), (TEST, 0.1)):
        plain.start(node)
        plain.finish(node, seconds)
    plain.finish(SEARCH, 71.26)
    assert printed(plain).splitlines() == [
        "[1 of 3] model customers 0.8 s",
        "[3 of 3] model int_segmentation__candidates 71.3 s",
    ]


def test_a_long_model_is_announced(plain: Progress) -> None:
    plain.expect(3, three_nodes({SEARCH: 119}))
    plain.start(SEARCH)
    plain.start(CUSTOMERS)
    assert printed(plain) == (
        "[0 of 3] model int_segmentation__candidates takes about 2 minutes\n"
    )


def test_plain_lines_have_no_control_characters(plain: Progress) -> None:
    with plain:
        plain.expect(1, Estimates())
        plain.start(CUSTOMERS)
        plain.finish(CUSTOMERS, 1.0)
        plain.say("WARN")
        plain.refresh()
    assert not {"\r", "\x1b"} & set(printed(plain))


@pytest.mark.parametrize(
    ("terminal", "variable", "expected"),
    [
        (True, "", True),
        (True, "false", True),
        (True, "true", False),
        (True, "1", False),
        (False, "", False),
    ],
)
def test_ci_is_no_terminal(
    terminal: bool, variable: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", variable)
    assert is_terminal(Screen(is_terminal=terminal)) is expected


# ---------- the line of a terminal


def test_the_line_says_what_is_built_and_how_long(live: Progress, clock: Clock) -> None:
    live.expect(3, three_nodes({SEARCH: 90, CUSTOMERS: 10, TEST: 0}))
    live.start(CUSTOMERS)
    clock.seconds = 10
    assert live.line() == "[0 of 3] 0:10, about 2 minutes left: customers"
    live.finish(CUSTOMERS, 10)
    live.start(SEARCH)
    clock.seconds = 50
    assert live.line() == (
        "[1 of 3] 0:50, about 1 minute left:"
        " int_segmentation__candidates (0:40 of about 1:30)"
    )
    # longer than last time: not even the share of the work is known
    clock.seconds = 200
    assert live.line().endswith(": int_segmentation__candidates (3:10)")


def test_time_left_is_measured_by_the_pace_of_this_build(
    live: Progress, clock: Clock
) -> None:
    live.expect(3, three_nodes({SEARCH: 90, CUSTOMERS: 10, TEST: 0}))
    # four times as slow as the last one
    clock.seconds = 40
    live.finish(CUSTOMERS, 40)
    assert "about 6 minutes left" in live.line()


def test_no_time_is_left_where_other_nodes_are_built(
    live: Progress, clock: Clock
) -> None:
    live.expect(2, three_nodes({SEARCH: 90, CUSTOMERS: 10, TEST: 0}))
    live.finish(CUSTOMERS, 10)
    clock.seconds = 10
    assert live.line() == "[1 of 2] 0:10"


def test_without_an_earlier_build_the_search_takes_most(
    live: Progress, clock: Clock
) -> None:
    live.expect(3, three_nodes({}))
    live.finish(CUSTOMERS, 1)
    clock.seconds = 1
    assert "left" not in live.line()


def test_what_stays_is_printed_over_the_line(live: Progress) -> None:
    live.expect(3, Estimates())
    live.start(CUSTOMERS)
    live.finish(SEARCH, 71.0)
    live.say("WARN")
    shown = printed(live).replace("\r\x1b[K", "\r").split("\n")
    assert shown[0].endswith("\r[1 of 3] model int_segmentation__candidates 71.0 s")
    assert shown[1].endswith("\rWARN")
    assert shown[2] == "\r[1 of 3] 0:00: customers"


# ---------- dbt's events


def event(name: str, level: str = "debug", msg: str = "", **data: Any) -> Any:
    info = SimpleNamespace(name=name, level=level, msg=msg)
    return SimpleNamespace(info=info, data=SimpleNamespace(**data))


def about(node: Node, seconds: float = 0.0) -> dict[str, Any]:
    return {
        "node_info": SimpleNamespace(unique_id=node.id),
        "run_result": SimpleNamespace(execution_time=seconds),
    }


def manifest(folder: Path) -> Path:
    """Write a manifest of the three nodes."""
    nodes = {
        node.id: {"resource_type": node.kind, "config": {"materialized": "table"}}
        for node in (SEARCH, CUSTOMERS, TEST)
    }
    nodes["analysis.shop.a"] = {"resource_type": "analysis", "config": {}}
    path = folder / "manifest.json"
    path.write_text(json.dumps({"nodes": nodes, "unit_tests": {}}))
    return path


def test_exposures_are_counted_as_dbt_counts_them(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    known = json.loads(path.read_text())
    exposure = "exposure.shop.report"
    path.write_text(json.dumps(known | {"exposures": {exposure: {}}}))
    assert set(all_nodes(tmp_path)) == {CUSTOMERS.id, SEARCH.id, TEST.id, exposure}


def run(progress: Progress, path: Path, seconds: float) -> None:
    """Tell of a build of three nodes, customers first."""
    listener = Listener(progress)
    listener(event("ArtifactWritten", artifact_path=str(path)))
    listener(event("ConcurrencyLine", target_name="duckdb"))
    for node in (CUSTOMERS, SEARCH, TEST):
        listener(event("NodeStart", **about(node)))
        listener(event("LogStartLine", total=3))
        listener(event("NodeFinished", **about(node, seconds)))
    listener.remember()


def test_the_durations_of_a_build_are_the_estimates_of_the_next(
    tmp_path: Path,
) -> None:
    path = manifest(tmp_path)
    first, second = (Progress(Screen(is_terminal=False)) for _ in range(2))
    run(first, path, 120.0)
    kept = json.loads((tmp_path / "durations.json").read_text())
    assert kept == {"duckdb": dict.fromkeys((CUSTOMERS.id, SEARCH.id, TEST.id), 120.0)}
    run(second, path, 1.0)
    announced = "[1 of 3] model int_segmentation__candidates takes about {}"
    assert announced.format("1 minute\n") in printed(first)
    assert announced.format("2 minutes\n") in printed(second)


def test_warnings_of_dbt_are_passed_on_and_those_about_nodes_are_not(
    plain: Progress,
) -> None:
    listener = Listener(plain)
    listener(event("LogTestResult", "warn", "1 of 3 WARN 2 some_test"))
    listener(event("RunResultWarningMessage", "warn", "Got 2 results"))
    listener(event("NoNodesForSelectionCriteria", "warn", "nothing is selected"))
    listener(event("MainReportVersion", "info", "Running with dbt"))
    listener(event("JinjaLogInfo", "info", "Published 30 tables"))
    assert printed(plain) == "nothing is selected\nPublished 30 tables\n"
    assert not listener.has_said_why
    listener(event("MainEncounteredError", "error", "no landing zone"))
    assert listener.has_said_why


def result(
    status: str, kind: str = "test", message: str | None = None, name: str = "some_test"
) -> Any:
    node = SimpleNamespace(
        name=name,
        resource_type=kind,
        original_file_path=f"tests/{name}.sql",
        compiled_code="select 1",
    )
    return SimpleNamespace(status=status, node=node, message=message)


def returning(rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every query return these rows."""
    monkeypatch.setattr(building, "rows_of", lambda query: rows)


def test_a_warning_is_the_messages_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    returning([{"shop": "mall", "message": "mall: too few customers."}], monkeypatch)
    assert findings([result("pass"), result("warn")]) == [
        "WARN some_test (tests/some_test.sql)",
        "  mall: too few customers.",
    ]


def test_a_failure_is_the_first_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    returning([{"key": n, "n": 2} for n in range(1_005)], monkeypatch)
    assert findings([result("fail")]) == [
        "FAIL some_test (tests/some_test.sql)",
        *(f"  key = {n}, n = 2" for n in range(3)),
        "  and 1,002 more",
    ]


def test_failures_follow_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    returning([{"key": 1}], monkeypatch)
    lines = findings([result("error", "model", "a\nb"), result("fail"), result("warn")])
    assert [line.split()[0] for line in lines if line[0] != " "] == [
        *("WARN", "FAIL", "ERROR")
    ]
    assert lines[-2:] == ["  a", "  b"]


def test_an_error_of_a_declaration_has_no_traceback() -> None:
    message = (
        "Runtime Error in model x\n  Traceback (most recent call last):\n  File y\n"
        "  customer_segmentation.errors.InputError: mall_profile: no feature 'agee'\n  "
    )
    assert findings([result("error", "model", message)])[1:] == [
        "  mall_profile: no feature 'agee'"
    ]


def test_an_error_in_a_python_model_is_its_cause_alone() -> None:
    trace = "".join(
        [
            "Traceback (most recent call last):\n",
            '  File "/tmp/x.py", line 3, in model\n    ^^^^^^\n',
        ]
    )
    text = (
        f"Python model failed:\n{trace}KeyError: 'age'\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        f"{trace}ValueError: no column\nThere are:\n  - gender\n"
    )
    message = "Runtime Error in model x\n" + textwrap.indent(text, "  ")
    assert findings([result("error", "model", message)])[1:] == [
        "  ValueError: no column",
        "  There are:",
        "    - gender",
        "  The trace is in dbt's log.",
    ]


def test_an_error_of_dbt_is_said_without_its_trace(plain: Progress) -> None:
    listener = Listener(plain)
    error = "Encountered an error:\nRuntime Error\n  The var x is 1: give 2."
    listener(event("MainEncounteredError", "error", error))
    listener(event("MainStackTrace", "error", "Traceback (most recent call last)"))
    assert printed(plain) == "Error: The var x is 1: give 2.\n"
    assert listener.has_said_why


def test_a_unit_test_says_what_differs() -> None:
    found = findings(
        [result("fail", "unit_test", "actual differs from expected:\na,b")]
    )
    assert found[1:] == ["  actual differs from expected:", "  a,b"]


def test_rows_that_cannot_be_read_hide_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(query: str) -> None:
        raise OSError("locked")

    monkeypatch.setattr(building, "rows_of", fail)
    assert findings([result("fail", message="Got 2 results")])[1:] == [
        "  Got 2 results",
        "  its rows cannot be read: locked",
    ]


def test_the_summary_counts_what_there_is() -> None:
    results = [
        *(result("success", "model"), result("success", "seed")),
        *(result("pass"), result("pass"), result("warn"), result("skipped", "model")),
    ]
    assert summary(results, 83) == (
        "1 model, 1 seed, 2 passed tests, 1 warning, 1 skipped node in 1:23"
    )


# ---------- exit codes


class Runner:
    """Stands in for dbt's runner."""

    outcome: SimpleNamespace
    arguments: list[str]

    def __init__(self, callbacks: list[Any]) -> None:
        self.callbacks = callbacks

    def invoke(self, arguments: list[str]) -> SimpleNamespace:
        """Keep the arguments; build nothing."""
        Runner.arguments = arguments
        return Runner.outcome


@pytest.mark.parametrize(
    ("success", "exception", "code"),
    [(True, None, 0), (False, None, 1), (False, ValueError("no such option"), 2)],
)
def test_the_exit_code_is_that_of_dbt(
    plain: Progress,
    monkeypatch: pytest.MonkeyPatch,
    success: bool,
    exception: Exception | None,
    code: int,
) -> None:
    monkeypatch.setattr("dbt.cli.main.dbtRunner", Runner)
    Runner.outcome = SimpleNamespace(success=success, exception=exception, result=None)
    assert building.build(["--select", "customers"], plain) == code
    assert Runner.arguments[-2:] == ["--select", "customers"]
    assert ("no such option" in printed(plain)) == (code == 2)
