"""Where Spark did its work: read from the event log of a Spark Connect server."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

# what is not the statement of a dbt model
SCORING = "scoring (mapInArrow)"
WRITTEN = "tables of Python models"
READ = "reads of Python models"
OTHER = "tests, seeds, other"


def read_tasks(path: Path, layers: Mapping[str, str]) -> pd.DataFrame:
    """Return what each task did, and for which layer of the project.

    Parameters
    ----------
    path : Path
        Of the event log.
    layers : mapping of str to str
        By the name of a model.

    Returns
    -------
    DataFrame
        One row per task that ended. Spark counts rows and bytes where a task reads a
        file, writes one, fetches a shuffle, or answers the driver. What is broadcast
        passes through the driver, too: the small side of a join, of which
        ``spark.sql.autoBroadcastJoinThreshold`` says how small (10 MB).
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
            said = next((statements[tag] for tag in tags if tag in statements), "")
            is_broadcast = any(tag.startswith("broadcast exchange") for tag in tags)
            for stage in event["Stage IDs"]:
                jobs.setdefault(stage, (event["Job ID"], said, is_broadcast))
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
    tasks["layer"] = [
        _layer(jobs[stage][1], model, stage in mapped, layers)
        for stage, model in zip(tasks["stage"], models, strict=True)
    ]
    tasks["model"] = models
    return tasks


def peak_driver_heap(path: Path) -> int:
    """Return the most bytes of the driver's heap that Spark saw in use."""
    return max(
        event["Executor Metrics"]["JVMHeapMemory"]
        for event in _events(path)
        if event["Event"] == "SparkListenerStageExecutorMetrics"
        and event["Executor ID"] == "driver"
    )


def peak_live_heap(path: Path) -> int:
    """Return the most bytes that a collection of garbage left, by Java's log of it."""
    left = re.findall(r"\d+M->(\d+)M\(", path.read_text())
    return max(map(int, left)) * 2**20


def removed_executors(path: Path) -> list[str]:
    """Return the executors that were lost."""
    return [
        event["Executor ID"]
        for event in _events(path)
        if event["Event"] == "SparkListenerExecutorRemoved"
    ]


def _events(path: Path) -> Iterator[dict[str, Any]]:
    with path.open() as lines:
        for line in lines:
            # plans are long, and not read
            if not line.startswith('{"Event":"org.apache.spark.sql.execution'):
                yield json.loads(line)


def _task(event: dict[str, Any]) -> dict[str, Any]:
    info = event["Task Info"]
    # a task that was lost has none
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
        # a result of more than a MiB is fetched
        "is_fetched": info["Getting Result Time"] > 0,
    }


def _model(said: str) -> str:
    """Return the model or test that a statement is of, if it says so."""
    found = re.search(r'node_id\\": \\"\w+\.\w+\.([^"\\]+)', said)
    found = found or re.search(r'table_name: "(?:\w+\.)*(\w+)"', said)
    return found[1] if found else ""


def _layer(said: str, model: str, is_mapped: bool, layers: Mapping[str, str]) -> str:
    if is_mapped:
        return SCORING
    if "node_id" in said:
        return layers.get(model, OTHER)
    if "write_operation" in said:
        return WRITTEN
    return OTHER if "query:" in said or "python_udf" in said else READ
