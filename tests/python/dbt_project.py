"""Running the dbt project on landing zones and databases of the tests."""

import csv
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from dbt_server import run_dbt, start_dbt

from customer_segmentation.raw_tables import SOURCE_SYSTEMS

REPOSITORY = Path(__file__).parents[2]
SHARED = Path(
    os.environ.get("CUSTOMER_SEGMENTATION_SHARED", REPOSITORY.parent / "shared")
)
BIN = Path(sys.executable).parent
# the processes of pytest-xdist, which share the cores; the only one is called main
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
WITHOUT_TESTS = ("--exclude", "resource_type:test", "resource_type:unit_test")
# tests of the other models need not wait for segmentations and predictions
WITHOUT_TRAINING = ("--exclude", "tag:train+")
PREDICTIONS = (
    *("int_prediction__backtests+", "int_prediction__segment_backtests+"),
    "int_prediction__interest_backtests+",
)
# features need the categories of products, which are learned in a second
WITHOUT_MODELS = (
    *("--exclude", "int_segmentation__candidates+", "int_movement__rhythm_fits+"),
    *PREDICTIONS,
)
# a unit test has its own rows: it need not run on each landing zone
UNIT_TESTS = "resource_type:unit_test"
# the daily run: fits and models are kept, and applied
SCORING = ("--exclude", "tag:train", UNIT_TESTS)
VARS = yaml.safe_load((REPOSITORY / "vars.yml").read_text(encoding="utf-8"))["vars"]
DECLARED = VARS["segmentations"]
# the same segmentations, each tried with two numbers of segments
NARROW = {
    name: one | {"k": [one["k"][0], one["k"][0] + 1]} for name, one in DECLARED.items()
}
# all segmentations, algorithms and candidates, but few settings and few draws
QUICK_SEARCH = {
    "segmentation_resamples": 2,
    "segmentation_null_draws": 4,
    "segmentation_refits": 4,
    "segmentations": NARROW
    | {
        "mall_income_score": DECLARED["mall_income_score"]
        | {"k": [4, 5], "pin": {"algorithm": "kmeans", "k": 5}}
    },
    "prediction_backtest_horizon_days": [90],
    "prediction_folds": 2,
    "prediction_seeds": 1,
    # of 4,000 of each shop
    "training_customers": 2_000,
    # the larger number is what the sample has
    "product_categories": {"online_retail": {"k": [15, 16]}},
    # Spark measures each customer for each month
    "history_months": 6,
}
# of real data, the whole search where tests say what it finds
ASSERTED = ("online_retail_value", "marketplace_coupons", "mall_income_score")
REAL_SEARCH = {
    "segmentation_refits": 4,
    "segmentations": NARROW | {name: DECLARED[name] for name in ASSERTED},
}
ONLY_MALL = {"source_systems": ["mall"], **QUICK_SEARCH}
NEWCOMER = "99999"
# those that are off by default among them: nothing of them goes unchecked
EVERY_SOURCE_SYSTEM = {"source_systems": list(SOURCE_SYSTEMS)}
SCORED = (
    *("main.customer_predictions", "main.customer_segment_predictions"),
    "main.customer_segment_probabilities",
    "main.prediction_drift",
)
_TAIL = 4_000


@dataclass(frozen=True)
class Warehouse:
    """A folder with a landing zone, and a database that dbt builds from it.

    Parameters
    ----------
    folder : Path
        Holds ``landing`` and ``warehouse.duckdb``.
    workshop : Path
        Shared by all warehouses, and by the processes of pytest-xdist. Each process has
        a link in it to the warehouse in use, so that dbt sees the same paths each time
        and need not parse the project again.
    """

    folder: Path
    workshop: Path

    @property
    def landing(self) -> Path:
        """The landing zone."""
        return self.folder / "landing"

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.folder / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """The DuckDB file that people read."""
        return self.folder / "published" / "marts.duckdb"

    def beside(self, name: str, *, same_landing: bool = True) -> "Warehouse":
        """Return a new warehouse without a database, by default on the same landing."""
        other = replace(self, folder=self.folder.with_name(name))
        other.folder.mkdir()
        if same_landing:
            other.landing.symlink_to(self.landing)
        return other

    def copied(self, name: str) -> "Warehouse":
        """Return a copy of the database on the same landing, to build it again."""
        copy = self.beside(name)
        shutil.copy(self.database, copy.database)
        return copy

    def land(self, source_system: str, *paths: Path) -> None:
        """Land raw files."""
        run_command(
            "customer-segmentation",
            *("land", source_system, *map(str, paths)),
            environment={"CUSTOMER_SEGMENTATION_LANDING": str(self.landing)},
        )

    def build(
        self,
        *arguments: str,
        variables: Mapping[str, object] | None = None,
        threads: int = 2,
    ) -> None:
        """Build the project, which must succeed, and keep what dbt says of it."""
        finished = self.dbt("build", *arguments, variables=variables, threads=threads)
        assert finished.returncode == 0, finished.stdout[-_TAIL:]

    @property
    def messages(self) -> Path:
        """What dbt said of the last build."""
        return self.folder / "build.out"

    def dbt(
        self,
        verb: str,
        *arguments: str,
        variables: Mapping[str, object] | None = None,
        threads: int = 2,
    ) -> subprocess.CompletedProcess[str]:
        """Run dbt to its end, whatever that is; stdout and stderr come as stdout."""
        return run_dbt(
            self._arguments(verb, *arguments, variables=variables),
            self._environment(threads),
            self.folder / f"{verb}.out",
        )

    def build_until(
        self,
        message: str,
        *arguments: str,
        variables: Mapping[str, object] | None = None,
    ) -> bool:
        """Kill a build as soon as it says the message; return whether it was killed."""
        process = self._start_until(message, *arguments, variables=variables, threads=2)
        if process.is_alive():
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
        return process.exitcode == -signal.SIGKILL

    def build_around(
        self,
        message: str,
        meanwhile: Callable[[], None],
        *arguments: str,
        variables: Mapping[str, object] | None = None,
    ) -> None:
        """Build in one thread; do something else as soon as it says the message.

        The build stands still meanwhile, and must succeed.
        """
        process = self._start_until(message, *arguments, variables=variables, threads=1)
        if process.is_alive():
            os.killpg(process.pid, signal.SIGSTOP)
            try:
                meanwhile()
            finally:
                os.killpg(process.pid, signal.SIGCONT)
        process.join()
        said = (self.folder / "cut.out").read_text()
        assert process.exitcode == 0, said[-_TAIL:]
        assert message in said

    def _start_until(
        self,
        message: str,
        *arguments: str,
        variables: Mapping[str, object] | None,
        threads: int,
    ) -> ForkServerProcess:
        output = self.folder / "cut.out"
        output.write_text("")
        process = start_dbt(
            self._arguments("build", *arguments, variables=variables),
            self._environment(threads),
            output,
            in_own_group=True,
        )
        while process.is_alive() and message not in output.read_text():
            time.sleep(0.005)
        return process

    @property
    def desk(self) -> Path:
        """The folder of this process in the workshop."""
        return self.workshop / WORKER

    @property
    def logs(self) -> Path:
        """The folder of dbt's log."""
        return self.desk / "logs"

    def target(self, variables: Mapping[str, object] | None = None) -> Path:
        """Return dbt's target folder, one for each set of vars."""
        names = json.dumps(variables or {}, sort_keys=True)
        digest = hashlib.md5(names.encode(), usedforsecurity=False).hexdigest()
        return self.desk / f"target-{digest}"

    @contextmanager
    def connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Connect to the database, read-only."""
        with duckdb.connect(self.database, read_only=True) as connection:
            yield connection

    def rows(self, query: str) -> list[tuple]:
        """Return the rows of a query."""
        with self.connected() as connection:
            return connection.execute(query).fetchall()

    def value(self, query: str) -> object:
        """Return the one value of a query."""
        [(value,)] = self.rows(query)
        return value

    def tables(self) -> set[str]:
        """Return the tables by schema and name; views are not tables."""
        return {
            f"{schema}.{name}"
            for schema, name in self.rows(
                "select schema_name, table_name from duckdb_tables() where not internal"
            )
        }

    def _arguments(
        self, verb: str, *arguments: str, variables: Mapping[str, object] | None
    ) -> list[str]:
        return [
            *("--no-use-colors", verb, *arguments),
            *("--project-dir", str(REPOSITORY), "--profiles-dir", str(REPOSITORY)),
            *("--target-path", str(self.target(variables))),
            # stdout has all that the tests read; a log of debugging messages is slow
            *("--log-path", str(self.logs), "--log-level-file", "info"),
            *(("--vars", json.dumps(variables)) if variables else ()),
        ]

    def put_in_place(self) -> Path:
        """Return the path under which dbt sees the folder."""
        link = self.desk / "current"
        link.parent.mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(self.folder)
        return link

    def _environment(self, threads: int) -> dict[str, str]:
        place = self.put_in_place()
        return os.environ | {
            "CUSTOMER_SEGMENTATION_LANDING": str(place / "landing"),
            "CUSTOMER_SEGMENTATION_DATABASE": str(place / "warehouse.duckdb"),
            "CUSTOMER_SEGMENTATION_THREADS": str(threads),
            "OMP_NUM_THREADS": str(threads),
            "OPENBLAS_NUM_THREADS": str(threads),
            "LOKY_MAX_CPU_COUNT": str(max(1, (os.cpu_count() or 1) // WORKERS)),
        }


@dataclass(frozen=True)
class Sample(Warehouse):
    """The warehouse of the simulated raw files, and the truth about them."""

    @property
    def truth(self) -> Path:
        """The folder of the truth."""
        return self.folder / "raw" / "truth"


def take_source_system(name: str, simulated: Path, raw: Path) -> None:
    """Replace one source system of simulated raw files, and the truth about it.

    Parameters
    ----------
    name : str
        The source system.
    simulated, raw : Path
        Folders of raw files and their truth: from the first one into the second one.
    """
    shutil.rmtree(raw / name)
    shutil.copytree(simulated / name, raw / name)
    for file in (simulated / "truth").glob(f"{name}_*.csv"):
        shutil.copy(file, raw / "truth")
    # each row begins with the source system that it is about
    for file in (simulated / "truth").glob("planted_*.csv"):
        kept, taken = (
            (folder / "truth" / file.name).read_text(encoding="utf-8").splitlines()
            for folder in (raw, simulated)
        )
        rows = [row for row in kept if not row.startswith(f"{name},")]
        rows += [row for row in taken if row.startswith(f"{name},")]
        text = "\n".join([*rows, ""])
        (raw / "truth" / file.name).write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Scored(Warehouse):
    """The sample's warehouse, scored again with one more customer of the mall."""

    @property
    def twin(self) -> str:
        """The customer whom the newcomer resembles in all but the id."""
        [part, *_] = self._mall
        return pq.read_table(part)["customer_id"][0].as_py()

    def add_newcomer(self, customer_id: str) -> None:
        """Land a copy of the twin."""
        [part, *_] = self._mall
        rows = pq.read_table(part)
        newcomer = rows.slice(0, 1).to_pylist()[0] | {"customer_id": customer_id}
        added = pa.Table.from_pylist([newcomer], rows.schema)
        pq.write_table(pa.concat_tables([rows, added]), part)

    @property
    def _mall(self) -> list[Path]:
        return sorted((self.landing / "mall" / "customers").glob("*.parquet"))


@dataclass(frozen=True)
class Compiled(Warehouse):
    """A warehouse with raw tables without rows, and nothing built."""

    @property
    def desk(self) -> Path:
        """The folder of every process that compiles."""
        return self.workshop

    @classmethod
    def land_nothing(cls, workshop: Path) -> "Compiled":
        """Return a new warehouse; what dbt has parsed in the workshop is used again."""
        shutil.rmtree(workshop / "empty", ignore_errors=True)
        warehouse = cls(workshop / "empty", workshop)
        land_no_rows(warehouse.landing, SOURCE_SYSTEMS)
        return warehouse

    def compile(self) -> None:
        """Compile the project; for this alone a server is not worth its start."""
        arguments = self._arguments("compile", variables=EVERY_SOURCE_SYSTEM)
        run_command("dbt", *arguments, environment=self._environment(threads=2))


def land_no_rows(zone: Path, source_systems: Iterable[str]) -> None:
    """Put raw tables without rows into a landing zone, without landing them."""
    for name in source_systems:
        for table in SOURCE_SYSTEMS[name].tables:
            part = zone / name / table.name / "part.parquet"
            part.parent.mkdir(parents=True)
            columns = [(column, pa.string()) for column in table.column_names]
            pq.write_table(pa.schema(columns).empty_table(), part)


def compile_project(folder: Path) -> None:
    """Compile the project, and put dbt's manifests into a folder.

    The compiled SQL reads from a database ``warehouse``, as that of every `Warehouse`.
    """
    workshop = REPOSITORY / "target" / "tests"
    workshop.mkdir(parents=True, exist_ok=True)
    with (workshop / "lock").open("w") as lock:
        # another session of tests may use it
        fcntl.flock(lock, fcntl.LOCK_EX)
        warehouse = Compiled.land_nothing(workshop)
        warehouse.compile()
        folder.mkdir()
        for name in ("manifest.json", "semantic_manifest.json"):
            shutil.copy(warehouse.target(EVERY_SOURCE_SYSTEM) / name, folder)


def made_once(folder: Path, make: Callable[[], None]) -> None:
    """Make a folder, unless another process has; wait for one that is at it."""
    made, failed = (
        folder.with_name(f"{folder.name}.{end}") for end in ("made", "failed")
    )
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not failed.exists(), f"{folder.name}: another process failed to make it"
        if not made.exists():
            failed.touch()
            make()
            failed.rename(made)


def run_command(
    name: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> None:
    """Run a command of this virtual environment, which must succeed."""
    finished = subprocess.run(
        [str(BIN / name), *arguments],
        env=os.environ | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-_TAIL:]


def shared_file(path: str) -> Path:
    """Return a file of the public data sets; skip the test if it is missing."""
    file = SHARED / "data" / path
    if not file.exists():
        pytest.skip(
            f"{file} is missing: set CUSTOMER_SEGMENTATION_SHARED to its folder"
        )
    return file


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file as text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def differences(
    left: Warehouse, right: Warehouse, tables: Mapping[str, str] | None = None
) -> dict[str, tuple[int, int]]:
    """Compare tables as multisets of rows.

    Parameters
    ----------
    left, right : Warehouse
        Where the tables are.
    tables : mapping of str to str, optional
        For each table to compare a query, with ``{}`` for the table; by default all
        of every table, and both must have the same tables.

    Returns
    -------
    dict
        For each table that differs the rows that only left and only right has.
    """
    if tables is None:
        assert left.tables() == right.tables()
        tables = dict.fromkeys(sorted(left.tables()), "select * from {}")
    found = {}
    with duckdb.connect() as connection:
        for name, warehouse in (("l", left), ("r", right)):
            connection.execute(f"attach '{warehouse.database}' as {name} (read_only)")
        for table, query in tables.items():
            rows = [query.format(f"{name}.{table}") for name in "lr"]
            counts = tuple(
                connection.execute(
                    f"select count(*) from (({one}) except all ({other}))"
                ).fetchall()[0][0]
                for one, other in (rows, rows[::-1])
            )
            if any(counts):
                found[table] = counts
    return found
