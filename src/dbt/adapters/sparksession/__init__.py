"""dbt-spark with Python models, which run in the session that runs the SQL.

dbt-spark can submit Python models to Databricks only. This adapter extends it, keeps
all its macros, and submits a model to the Spark session of this process. That session
runs Spark in this process, or is a client of the Spark Connect server that
``SPARK_REMOTE`` names. A profile uses the adapter as ``type: sparksession``.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dbt.adapters.base.impl import PythonJobHelper
from dbt.adapters.base.meta import available
from dbt.adapters.base.plugin import AdapterPlugin
from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.exceptions.connection import FailedToConnectError
from dbt.include import sparksession
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError

from customer_segmentation.errors import InputError
from customer_segmentation.landed import folder_in_build

try:
    from dbt.adapters.spark import session
    from dbt.adapters.spark.connections import (
        SparkConnectionManager,
        SparkConnectionMethod,
        SparkCredentials,
    )
    from dbt.adapters.spark.impl import SparkAdapter
    from pyspark.errors import AnalysisException, PySparkException
    from pyspark.sql import Row

    from customer_segmentation.spark import (
        check_executors,
        create_over_leftovers,
        open_session,
    )
except ModuleNotFoundError as error:
    raise DbtRuntimeError(
        f"the target spark needs {error.name}, which is not installed: run `make "
        "install-spark`, or install customer-segmentation[spark]"
    ) from error

__all__ = ["Plugin"]

TYPE = "sparksession"


@contextmanager
def dbt_errors(kind: type[Exception]) -> Iterator[None]:
    """Turn errors of Spark and of input into an error that dbt reports."""
    try:
        yield
    except (InputError, PySparkException) as error:
        raise kind(str(error)) from error


class SparkSessionCredentials(SparkCredentials):
    """A schema, and the Spark parameters of the session."""

    def __post_init__(self) -> None:
        """Set what dbt-spark requires and a session does not need."""
        self.method = SparkConnectionMethod.SESSION
        self.host = "localhost"
        super().__post_init__()
        # as on DuckDB, a bad cast is an error, and not a null
        self.server_side_parameters["spark.sql.ansi.enabled"] = "true"

    @property
    def type(self) -> str:
        """The name of the adapter in a profile."""
        return TYPE


class Cursor(session.Cursor):
    """Run statements in the session of this process."""

    def execute(self, sql: str, *parameters: Any) -> None:
        """Run a statement."""
        statement = sql % parameters if parameters else sql
        with dbt_errors(DbtDatabaseError):
            spark = open_session(self.server_side_parameters)
            self._df = create_over_leftovers(spark, lambda: spark.sql(statement))

    def fetchall(self) -> list[Row] | None:
        """Compute and return all rows."""
        with dbt_errors(DbtDatabaseError):
            rows: list[Row] | None = super().fetchall()
        return rows

    def fetchone(self) -> Row | None:
        """Return the next row."""
        with dbt_errors(DbtDatabaseError):
            return super().fetchone()


class SessionConnection(session.Connection):
    """A connection to the session of this process."""

    def cursor(self) -> Cursor:
        """Return a new cursor."""
        return Cursor(server_side_parameters=self.server_side_parameters)


class SessionConnectionWrapper(session.SessionConnectionWrapper):
    """Write values into statements, and cancel running statements."""

    def cancel(self) -> None:
        """Cancel the statements of the session, which a server would continue."""
        open_session(self.handle.server_side_parameters).interruptAll()

    @classmethod
    def _fix_binding(cls, value: Any) -> str:
        """Return a value as a literal, unlike dbt-spark with nulls and quotes."""
        if value is None:
            return "null"
        if isinstance(value, session.NUMBERS):
            return str(value)
        text = str(value).replace("\\", "\\\\").replace("'", "\\'")
        return f"'{text}'"


class SparkSessionConnectionManager(SparkConnectionManager):
    """Open the session before the first statement, or say why that fails."""

    TYPE = TYPE

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Open the session, unless this process has one."""
        if connection.state == ConnectionState.OPEN:
            return connection
        parameters = connection.credentials.server_side_parameters
        with dbt_errors(FailedToConnectError):
            open_session(parameters)
        connection.handle = SessionConnectionWrapper(
            SessionConnection(server_side_parameters=parameters)
        )
        connection.state = ConnectionState.OPEN
        return connection


class SessionJobHelper(PythonJobHelper):
    """Run a Python model in the session of this process."""

    def __init__(self, parsed_model: Mapping[str, Any], credentials: Any) -> None:
        self.name = parsed_model["alias"]
        self.parameters = credentials.server_side_parameters

    def submit(self, compiled_code: str) -> None:
        """Execute the compiled model; ``py_write_table`` added the writing to it."""
        code = compile(compiled_code, f"<{self.name}>", "exec")
        with dbt_errors(DbtRuntimeError):
            spark = open_session(self.parameters)
            check_executors(spark)
            exec(code, {"__name__": self.name, "spark": spark})


class SparkSessionAdapter(SparkAdapter):
    """dbt-spark, with a further way to submit Python models."""

    ConnectionManager = SparkSessionConnectionManager

    @available.parse(lambda *_: True)
    def folder_has_parquet(self, folder: str) -> bool:
        """Whether Spark finds Parquet files in a folder, on the host where it runs.

        Spark takes the folder for a pattern, so its caller escapes it.
        """
        spark = open_session(self.config.credentials.server_side_parameters)
        try:
            return bool(spark.read.parquet(folder).columns)
        except AnalysisException as error:
            if error.getCondition() in ("PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA"):
                return False
            raise DbtDatabaseError(str(error)) from error

    @available.parse(lambda *_: "")
    def folder_in_build(
        self, zone: str, source_system: str, build: str, command: str
    ) -> str:
        """Return the folder that a build reads a source system from."""
        return folder_in_build(zone, source_system, build, command)

    @property
    def default_python_submission_method(self) -> str:
        """The session of this process."""
        return "session"

    @property
    def python_submission_helpers(self) -> dict[str, type[PythonJobHelper]]:
        """The ways to submit a Python model."""
        return {**super().python_submission_helpers, "session": SessionJobHelper}


# to mypy, no adapter matches the protocol of dbt's adapters
_adapter: Any = SparkSessionAdapter

Plugin = AdapterPlugin(
    adapter=_adapter,
    credentials=SparkSessionCredentials,
    include_path=sparksession.PACKAGE_PATH,
    dependencies=["spark"],
)
