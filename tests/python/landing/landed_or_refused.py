"""Land a file that may hold anything, and keep what was said about it."""

import contextlib
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from hostile import refused_or

from customer_segmentation.landing import land_files
from customer_segmentation.raw_tables import SourceSystem

__all__ = ["Landed", "land"]


@dataclass(frozen=True)
class Landed:
    """The rows of the first table of a source system, and the messages of landing."""

    rows: list[dict[str, str | None]]
    said: str


def land(path: Path, system: SourceSystem) -> Landed | None:
    """Land a file; return what landed, or None if it was refused with one message."""
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        zone = Path(name) / "zone"

        def accept() -> Landed:
            said = io.StringIO()
            with contextlib.redirect_stderr(said):
                land_files(system, (path,), zone, append=False)
            folder = zone / system.name / system.tables[0].name
            return Landed(pq.read_table(folder).to_pylist(), said.getvalue())

        found = refused_or(accept)
        if found is None:
            # nothing half landed
            assert not (zone / system.name).exists()
        return found
