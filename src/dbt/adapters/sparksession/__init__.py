"""dbt-spark with Python models: they run in the session that runs the SQL.

dbt-spark submits Python models to Databricks only. This adapter is dbt-spark's own,
with all its macros, and one way more to submit a model: in the Spark session of this
process, which is a local one, or the client of a cluster where ``SPARK_REMOTE`` names a
Spark Connect server. A profile uses it as ``type: sparksession``.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dbt.adapters.base import AdapterPlugin, PythonJobHelper, available
from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.exceptions import FailedToConnectError
from dbt.include import sparksession
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError

from customer_segmentation.errors import InputError

try:
    from dbt.adapters.spark import (
        SparkAdapter,
        SparkConnectionManager,
        SparkCredentials,
        session,
    )
    from dbt.adapters.spark.connections import SparkConnectionMethod
    from pyspark.errors import AnalysisException, PySparkException
    from pyspark.sql import Row

    from customer_segmentation.spark import (
        check_executors,
        open_session,
        over_leftovers,
    )
except ModuleNotFoundError as error:
    raise DbtRuntimeError(
        f"the target spark needs {error.name}, which is not installed: run `make "
        "install-spark`, or install customer-segmentation[spark]"
    ) from error

__all__ = ["Plugin"]

TYPE = "sparksession"


@contextmanager
def errors_of_dbt(kind: type[Exception]) -> Iterator[None]:
    """Turn errors of Spark, and of input, into one that dbt shows as one."""
    try:
        yield
    except (InputError, PySparkException) as error:
        raise kind(str(error)) from error


class SparkSessionCredentials(SparkCredentials):
    """A schema, and the parameters of the session."""

    def __post_init__(self) -> None:
        """Fill what dbt-spark asks for and a session does not need."""
        self.method = SparkConnectionMethod.SESSION
        self.host = "localhost"
        super().__post_init__()
        # a bad cast is an error on DuckDB, and must not be a null here
        self.server_side_parameters["spark.sql.ansi.enabled"] = "true"

    @property
    def type(self) -> str:
        """As the profile names it."""
        return TYPE


class Cursor(session.Cursor):
    """Runs statements in the session that is open."""

    def execute(self, sql: str, *parameters: Any) -> None:
        """Run a statement."""
        statement = sql % parameters if parameters else sql
        with errors_of_dbt(DbtDatabaseError):
            spark = open_session(self.server_side_parameters)
            self._df = over_leftovers(spark, lambda: spark.sql(statement))

    def fetchall(self) -> list[Row] | None:
        """Return all rows, which are computed now."""
        with errors_of_dbt(DbtDatabaseError):
            return super().fetchall()

    def fetchone(self) -> Row | None:
        """Return the next row."""
        with errors_of_dbt(DbtDatabaseError):
            return super().fetchone()


class SessionConnection(session.Connection):
    """Gives such cursors."""

    def cursor(self) -> Cursor:
        """Return a new one."""
        return Cursor(server_side_parameters=self.server_side_parameters)


class SessionConnectionWrapper(session.SessionConnectionWrapper):
    """Writes values into statements, and ends those that are under way."""

    def cancel(self) -> None:
        """End what the session does, which a server would go on with."""
        open_session(self.handle.server_side_parameters).interruptAll()

    @classmethod
    def _fix_binding(cls, value: Any) -> str:
        """Return a literal; dbt-spark's own has no nulls, and no quotes in a text."""
        if value is None:
            return "null"
        if isinstance(value, session.NUMBERS):
            return str(value)
        text = str(value).replace("\\", "\\\\").replace("'", "\\'")
        return f"'{text}'"


class SparkSessionConnectionManager(SparkConnectionManager):
    """Opens the session before the first statement, or says why it cannot."""

    TYPE = TYPE

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Open the session, unless this process has it already."""
        if connection.state == ConnectionState.OPEN:
            return connection
        parameters = connection.credentials.server_side_parameters
        with errors_of_dbt(FailedToConnectError):
            open_session(parameters)
        connection.handle = SessionConnectionWrapper(
            SessionConnection(server_side_parameters=parameters)
        )
        connection.state = ConnectionState.OPEN
        return connection


class SessionJobHelper(PythonJobHelper):
    """Runs a Python model in the session of this process."""

    def __init__(self, parsed_model: Mapping[str, Any], credentials: Any) -> None:
        self.name = parsed_model["alias"]
        self.parameters = credentials.server_side_parameters

    def submit(self, compiled_code: str) -> None:
        """Execute what dbt compiled; ``py_write_table`` put the writing at its end."""
        code = compile(compiled_code, f"<{self.name}>", "exec")
        with errors_of_dbt(DbtRuntimeError):
            spark = open_session(self.parameters)
            check_executors(spark)
            exec(code, {"__name__": self.name, "spark": spark})


class SparkSessionAdapter(SparkAdapter):
    """dbt-spark, with one way more to submit a Python model."""

    ConnectionManager = SparkSessionConnectionManager

    @available.parse(lambda *_: True)
    def folder_has_parquet(self, folder: str) -> bool:
        """Whether Spark, wherever it runs, finds Parquet files in a folder."""
        spark = open_session(self.config.credentials.server_side_parameters)
        try:
            return bool(spark.read.parquet(folder).columns)
        except AnalysisException as error:
            if error.getCondition() in ("PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA"):
                return False
            raise DbtDatabaseError(str(error)) from error

    @property
    def default_python_submission_method(self) -> str:
        """In this process."""
        return "session"

    @property
    def python_submission_helpers(self) -> dict[str, type[PythonJobHelper]]:
        """All ways to submit a Python model."""
        return {**super().python_submission_helpers, "session": SessionJobHelper}


Plugin = AdapterPlugin(
    adapter=SparkSessionAdapter,
    credentials=SparkSessionCredentials,
    include_path=sparksession.PACKAGE_PATH,
    dependencies=["spark"],
)
