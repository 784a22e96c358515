"""Draw the pictures of the README and of the pages in this folder, as SVG files.

The flow is written in ``drawing/flow.py``; the lineage and the tables come from dbt's
manifest::

    dbt parse
    python docs/pictures.py

The segments of the mall and the test of predictions come from databases that are
built, those of ``make bench`` and ``make bench-predictions``::

    python docs/pictures.py --mall real.duckdb --calibration two_years.duckdb

The files are in ``docs/pictures``. The same input gives the same bytes.
"""

from pathlib import Path

import click
from drawing.flow import flow
from drawing.lineage import lineage
from drawing.manifest import Lineage
from drawing.results import calibration, mall
from drawing.tables import tables

PICTURES = Path(__file__).resolve().parent / "pictures"
MANIFEST = Path(__file__).resolve().parent.parent / "target/manifest.json"


@click.command()
@click.option(
    "--manifest",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=MANIFEST,
    help="Of dbt; target/manifest.json by default.",
)
@click.option(
    "--mall",
    "mall_database",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A database with mall_income_score. Without it, that picture stays.",
)
@click.option(
    "--calibration",
    "calibration_database",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A database with tests of predictions. Without it, that picture stays.",
)
def main(
    manifest: Path, mall_database: Path | None, calibration_database: Path | None
) -> None:
    """Draw the pictures of the documentation into docs/pictures."""
    project = Lineage.read(manifest)
    drawings = {
        "flow.svg": flow(),
        "lineage.svg": lineage(project),
        "tables.svg": tables(project),
    }
    if mall_database:
        drawings["mall_segments.svg"] = mall(mall_database)
    if calibration_database:
        drawings["calibration.svg"] = calibration(calibration_database)
    for name, drawing in drawings.items():
        size = drawing.save(PICTURES / name)
        click.echo(f"docs/pictures/{name}: {size:,} bytes")


if __name__ == "__main__":
    main()
