"""Raw data of one table in one file or sheet, as a relation of text columns."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import duckdb

from customer_segmentation.errors import InputError
from customer_segmentation.landing.headers import HeaderMatch
from customer_segmentation.landing.reading import sql_name
from customer_segmentation.raw_tables import RawTable


@dataclass(frozen=True)
class RawSource(ABC):
    """Raw data of one table in one file or sheet.

    Parameters
    ----------
    path : Path
        The file.
    table : RawTable
        The table.
    headers : tuple of str
        As they stand in the file.
    match : HeaderMatch
        Which of them are the table's columns.
    """

    path: Path
    table: RawTable
    headers: tuple[str, ...]
    match: HeaderMatch

    @property
    def name(self) -> str:
        """What messages call it."""
        return str(self.path)

    def select(self, connection: duckdb.DuckDBPyConnection) -> str:
        """Return a query of the table's columns, in order, all text.

        Parameters
        ----------
        connection : duckdb.DuckDBPyConnection
            Where the query will run.

        Returns
        -------
        str
            The query.

        Raises
        ------
        InputError
            If the file turns out to be unusable.
        """
        columns = ", ".join(
            f"{'null' if position is None else f'c{position}'}::varchar "
            f"as {sql_name(name)}"
            for name, position in zip(
                self.table.column_names, self.match.positions, strict=True
            )
        )
        positions = ", ".join(f"c{i}" for i in range(len(self.headers)))
        return f"select {columns} from {self._relation(connection)} as raw({positions})"

    @abstractmethod
    def _relation(self, connection: duckdb.DuckDBPyConnection) -> str:
        """Return the file as a relation in SQL, one column a header."""

    def explained(self, error: Exception) -> InputError:
        """Return what DuckDB could not read, in a line that names the file.

        Parameters
        ----------
        error : Exception
            As DuckDB or Arrow raised it.

        Returns
        -------
        InputError
            To be raised from it.
        """
        first_line = str(error).partition("\n")[0]
        return InputError(f"{self.name}: cannot be read: {first_line}")
