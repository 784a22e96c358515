"""Raw data of one table in a Parquet file."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from customer_segmentation.errors import InputError
from customer_segmentation.landing.headers import match_headers
from customer_segmentation.landing.reading import sql_files
from customer_segmentation.landing.sources import RawSource
from customer_segmentation.raw_tables import RawTable


@dataclass(frozen=True)
class ParquetSource(RawSource):
    """A Parquet file."""

    def _relation(self, connection: duckdb.DuckDBPyConnection) -> str:
        # times with a zone are written in UTC, wherever this runs
        connection.execute("set TimeZone = 'UTC'")
        return (
            f"read_parquet({sql_files([self.path])}, binary_as_string = true, "
            "hive_partitioning = false, union_by_name = false)"
        )


def parquet_source(path: Path, table: RawTable) -> ParquetSource:
    """Find a raw table in a Parquet file.

    Parameters
    ----------
    path : Path
        The file.
    table : RawTable
        The table.

    Returns
    -------
    ParquetSource
        The table's data, not read yet.

    Raises
    ------
    InputError
        If it is not a readable Parquet file with the table's columns.
    """
    try:
        headers = tuple(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        first_line = str(error).partition("\n")[0]
        raise InputError(f"{path}: cannot be read as Parquet: {first_line}") from error
    return ParquetSource(path, table, headers, match_headers(table, headers, str(path)))
