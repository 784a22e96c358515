"""Where Spark works: read from the event log of a Spark Connect server."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

# tasks that run no statement of a SQL model
SCORING = "scoring (mapInArrow)"
WRITES = "writes of Python models"
READS = "reads of Python models"
OTHER = "tests, seeds, other"


def read_tasks(path: Path, subjects: Mapping[str, str]) -> pd.DataFrame:
    """Return what each task does, and for which subject of the project.

    Parameters
    ----------
    path : Path
        The event log.
    subjects : mapping of str to str
        The subject of each model, by its name.

    Returns
    -------
    DataFrame
        One row per task that has ended. Spark counts rows and bytes where a task reads
        a file, writes a file, fetches a shuffle, or answers the driver. A broadcast
        also goes through the driver. It is the small side of a join, up to the size in
        ``spark.sql.autoBroadcastJoinThreshold``.
    """
    statements: dict[str, str] = {}
    jobs: dict[int, tuple[int, str, bool]] = {}
    mapped: set[int] = set()
    rows = []
    for event in _events(path):
        name = event["Event"].rpartition(".")[2]
        if name == "SparkListenerConnectOperationStarted":
            statements[event["jobTag"]] = event["statementText"]
        elif name == "SparkListenerJobStart":
            tags = event["Properties"].get("spark.job.tags", "").split(",")
            statement = next((statements[tag] for tag in tags if tag in statements), "")
            is_broadcast = any(tag.startswith("broadcast exchange") for tag in tags)
            for stage in event["Stage IDs"]:
                jobs.setdefault(stage, (event["Job ID"], statement, is_broadcast))
        elif name == "SparkListenerStageCompleted" and "MapInArrow" in str(
            [one.get("Scope") for one in event["Stage Info"]["RDD Info"]]
        ):
            mapped.add(event["Stage Info"]["Stage ID"])
        elif name == "SparkListenerTaskEnd":
            rows.append(_task(event))
    tasks = pd.DataFrame(rows)
    tasks["job"] = [jobs[stage][0] for stage in tasks["stage"]]
    tasks["is_broadcast"] = [jobs[stage][2] for stage in tasks["stage"]]
    models = [_model(jobs[stage][1]) for stage in tasks["stage"]]
    tasks["subject"] = [
        _subject(jobs[stage][1], model, stage in mapped, subjects)
        for stage, model in zip(tasks["stage"], models, strict=True)
    ]
    tasks["model"] = models
    return tasks


def peak_driver_heap(path: Path) -> int:
    """Return the peak of the driver's heap in bytes, as Spark measured it."""
    return max(
        event["Executor Metrics"]["JVMHeapMemory"]
        for event in _events(path)
        if event["Event"] == "SparkListenerStageExecutorMetrics"
        and event["Executor ID"] == "driver"
    )


def peak_live_heap(path: Path) -> int:
    """Return the peak of the heap in bytes after a collection, as Java logged it."""
    remaining = re.findall(r"\d+M->(\d+)M\(", path.read_text(encoding="utf-8"))
    return max(map(int, remaining)) * 2**20


def removed_executors(path: Path) -> list[str]:
    """Return the executors that were lost."""
    return [
        event["Executor ID"]
        for event in _events(path)
        if event["Event"] == "SparkListenerExecutorRemoved"
    ]


def _events(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            # plans are long, and nothing here reads them
            if not line.startswith('{"Event":"org.apache.spark.sql.execution'):
                yield json.loads(line)


def _task(event: dict[str, Any]) -> dict[str, Any]:
    info = event["Task Info"]
    # a lost task has no metrics
    metrics = event.get("Task Metrics") or {}
    shuffle = metrics.get("Shuffle Read Metrics", {})
    return {
        "stage": event["Stage ID"],
        "executor": info["Executor ID"],
        "reason": event["Task End Reason"]["Reason"],
        "rows_read": metrics.get("Input Metrics", {}).get("Records Read", 0),
        "rows_shuffled": shuffle.get("Total Records Read", 0),
        "rows_written": metrics.get("Output Metrics", {}).get("Records Written", 0),
        "result_bytes": metrics.get("Result Size", 0),
        # the driver fetches a result of more than a MiB
        "is_fetched": info["Getting Result Time"] > 0,
    }


def _model(statement: str) -> str:
    """Return the model or test that a statement names, if it names one."""
    found = re.search(r'node_id\\": \\"\w+\.\w+\.([^"\\]+)', statement)
    found = found or re.search(r'table_name: "(?:\w+\.)*(\w+)"', statement)
    return found[1] if found else ""


def _subject(
    statement: str, model: str, is_mapped: bool, subjects: Mapping[str, str]
) -> str:
    if is_mapped:
        return SCORING
    if "node_id" in statement:
        return subjects.get(model, OTHER)
    if "write_operation" in statement:
        return WRITES
    return OTHER if "query:" in statement or "python_udf" in statement else READS
