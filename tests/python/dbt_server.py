"""Run dbt in forks of a server, which has imported dbt and parsed the project.

Each process of tests has one server. Most commands of the tests take less time than
importing dbt.
"""

import gc
import multiprocessing
import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from unittest.mock import patch

__all__ = ["run_dbt", "start_dbt"]


def start_dbt(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    output: Path,
    *,
    in_own_group: bool = False,
) -> ForkServerProcess:
    """Start dbt.

    Parameters
    ----------
    arguments : sequence of str
        What follows ``dbt`` in the command.
    environment : mapping of str to str
        All environment variables.
    output : Path
        The file for stdout and stderr.
    in_own_group : bool
        Whether the process and those that it starts are a process group, to be killed
        together.

    Returns
    -------
    ForkServerProcess
        Has an ``exitcode`` after ``join``: negative if a signal ended it.
    """
    given = (arguments, environment, output, in_own_group)
    process = _server().Process(target=_run, args=given)
    process.start()
    return process


def run_dbt(
    arguments: Sequence[str], environment: Mapping[str, str], output: Path
) -> subprocess.CompletedProcess[str]:
    """Run dbt to its end; stdout and stderr come as stdout."""
    process = start_dbt(arguments, environment, output)
    process.join()
    said = output.read_text(encoding="utf-8")
    return subprocess.CompletedProcess(["dbt", *arguments], process.exitcode, said)


@cache
def _server() -> ForkServerContext:
    """Return the server of this process, started."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["parsed_dbt"])
    # Python 3.11 gives the server no path of its own; the one given may name the source
    # of another checkout than the one installed
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, given)])
    with patch.dict(os.environ, {"PYTHONPATH": path}):
        forkserver.ensure_running()
    return context


def _run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    output: Path,
    in_own_group: bool,
) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import cli
    from joblib.externals.loky import get_reusable_executor

    if in_own_group:
        os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        cli(arguments)
    finally:
        # a fork waits for the workers that it has started, and they for their next task
        get_reusable_executor(reuse=True).shutdown(kill_workers=True)
        # a fork ends without closing a database: its file would lack what is in the log
        DuckDBConnectionManager.close_all_connections()
        gc.collect()
