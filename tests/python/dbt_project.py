"""Running the dbt project on landing zones and databases of the tests."""

import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
SHARED = Path(
    os.environ.get("CUSTOMER_SEGMENTATION_SHARED", REPOSITORY.parent / "shared")
)
BIN = Path(sys.executable).parent
WITHOUT_TESTS = ("--exclude", "resource_type:test", "resource_type:unit_test")
# what has been fitted is kept, and applied
SCORING = ("--exclude", "tag:train", *WITHOUT_TESTS[1:])
# what is not about segmentations and predictions need not wait for them
WITHOUT_TRAINING = ("--exclude", "tag:train+")
PREDICTIONS = ("int_prediction__backtests+", "int_prediction__segment_backtests+")
# a unit test brings its own rows, and passes or fails whatever has landed
UNIT_TESTS = "resource_type:unit_test"
VARS = yaml.safe_load((REPOSITORY / "vars.yml").read_text(encoding="utf-8"))["vars"]
DECLARED = VARS["segmentations"]
# all segmentations, algorithms and candidates, but few settings, and hardly any draws
QUICK_SEARCH = {
    "segmentation_resamples": 2,
    "segmentation_null_draws": 4,
    "segmentations": {
        name: one | {"k": [one["k"][0], one["k"][0] + 1]}
        for name, one in DECLARED.items()
    }
    | {
        "mall_income_score": DECLARED["mall_income_score"]
        | {"k": [4, 5], "pin": {"algorithm": "kmeans", "k": 5}}
    },
    "prediction_backtest_horizon_days": [90],
    "prediction_folds": 2,
    "prediction_seeds": 1,
}
ONLY_MALL = {"source_systems": ["mall"], **QUICK_SEARCH}
NEWCOMER = "99999"
SCORED = (
    *("main.customer_predictions", "main.customer_segment_predictions"),
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
        Shared by all warehouses. Its link ``current`` points at the folder in use, so
        that dbt meets the same paths each time and need not parse the project anew.
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
        """Build the project, which must succeed."""
        finished = self.dbt("build", *arguments, variables=variables, threads=threads)
        assert finished.returncode == 0, finished.stdout[-_TAIL:]

    def dbt(
        self,
        verb: str,
        *arguments: str,
        variables: Mapping[str, object] | None = None,
        threads: int = 2,
    ) -> subprocess.CompletedProcess[str]:
        """Run dbt to its end, whatever that is; stdout and stderr come as stdout."""
        return subprocess.run(
            self._command(verb, *arguments, variables=variables),
            env=self._environment(threads),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def build_until(
        self,
        message: str,
        *arguments: str,
        variables: Mapping[str, object] | None = None,
    ) -> bool:
        """Kill a build as soon as it says the message; return whether it was killed."""
        output = self.folder / "killed.log"
        with output.open("w") as file:
            process = subprocess.Popen(
                self._command("build", *arguments, variables=variables),
                env=self._environment(threads=2),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while process.poll() is None and message not in output.read_text():
            time.sleep(0.005)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        return process.wait() == -signal.SIGKILL

    @property
    def logs(self) -> Path:
        """The folder of dbt's log."""
        return self.workshop / "logs"

    def target(self, variables: Mapping[str, object] | None = None) -> Path:
        """Return dbt's target folder, one for each set of vars."""
        names = json.dumps(variables or {}, sort_keys=True)
        digest = hashlib.md5(names.encode(), usedforsecurity=False).hexdigest()
        return self.workshop / f"target-{digest}"

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

    def _command(
        self, verb: str, *arguments: str, variables: Mapping[str, object] | None
    ) -> list[str]:
        return [
            *(str(BIN / "dbt"), "--no-use-colors", verb, *arguments),
            *("--project-dir", str(REPOSITORY), "--profiles-dir", str(REPOSITORY)),
            *("--target-path", str(self.target(variables))),
            # stdout says what is of use; the log of debugging takes long to write
            *("--log-path", str(self.logs), "--log-level-file", "info"),
            *(("--vars", json.dumps(variables)) if variables else ()),
        ]

    def _place(self) -> Path:
        """Return the folder by the name that dbt meets it under."""
        link = self.workshop / "current"
        link.unlink(missing_ok=True)
        link.symlink_to(self.folder)
        return link

    def _environment(self, threads: int) -> dict[str, str]:
        place = self._place()
        return os.environ | {
            "CUSTOMER_SEGMENTATION_LANDING": str(place / "landing"),
            "CUSTOMER_SEGMENTATION_DATABASE": str(place / "warehouse.duckdb"),
            "CUSTOMER_SEGMENTATION_THREADS": str(threads),
            "OMP_NUM_THREADS": str(threads),
            "OPENBLAS_NUM_THREADS": str(threads),
        }


@dataclass(frozen=True)
class Sample(Warehouse):
    """The warehouse of the simulated raw files, and the truth about them."""

    @property
    def truth(self) -> Path:
        """The folder of the truth."""
        return self.folder / "raw" / "truth"


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


def run_command(
    name: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> None:
    """Run a command that stands beside Python; it must succeed."""
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
    """Return a file of the shared data; skip the test where there is none."""
    file = SHARED / "data" / path
    if not file.exists():
        pytest.skip(f"{file} is not there; CUSTOMER_SEGMENTATION_SHARED names its home")
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
