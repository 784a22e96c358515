"""The commands about source systems; each imports what it runs when it runs it."""

from pathlib import Path

import click

from customer_segmentation.errors import InputError

__all__ = ["check_source", "generate_source", "new_source"]

FILES = click.argument(
    "paths", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)


def _project() -> Path:
    project = Path.cwd()
    if not (project / "dbt_project.yml").is_file():
        raise InputError(
            f"{project} has no dbt_project.yml; run this in the folder of the project."
        )
    return project


@click.command()
@click.argument("name")
@FILES
def new_source(name: str, paths: tuple[Path, ...]) -> None:
    """Guess what raw files hold, and write source_systems/NAME.yml.

    FILE is CSV, gzipped CSV or Parquet: one of orders, and perhaps one of customers.
    The command says what it takes each column for; where other columns fit as well, the
    YAML has a line with a question mark.
    """
    from customer_segmentation.source_systems.columns import profile_file, snake_case
    from customer_segmentation.source_systems.declare import FOLDER
    from customer_segmentation.source_systems.guess import guess_files
    from customer_segmentation.source_systems.scaffold import (
        described_guesses,
        scaffold,
    )

    path = _project() / FOLDER / f"{name}.yml"
    if name != snake_case(name):
        raise InputError(
            f"{name} cannot name a schema; call it {snake_case(name)}, in lower case."
        )
    if path.exists():
        raise InputError(f"{path} is there; change it, or remove it first.")
    found = guess_files([profile_file(one) for one in paths])
    for line in described_guesses(found):
        click.echo(line)
    path.write_text(scaffold(name, found), "utf-8")
    used = " ".join(str(one.file.path) for one in found if one.role)
    click.echo(
        f"Wrote {path}. Answer its questions, then run\n"
        f"  customer-segmentation generate-source {name}\n"
        f"  customer-segmentation check-source {name} {used}"
    )


@click.command()
@click.argument("name")
def generate_source(name: str) -> None:
    """Write the dbt models of the source system NAME from source_systems/NAME.yml.

    It writes the sources, the staging models, the conformed models and their YAML, and
    registers the source system in vars.yml and dbt_project.yml. Files that are written
    by hand stay as they are. Run it in the folder of the project.
    """
    from customer_segmentation.source_systems.declare import FOLDER, read_mapping
    from customer_segmentation.source_systems.generate import write_source_system

    project = _project()
    mapping = read_mapping(project / FOLDER / f"{name}.yml")
    for sentence in write_source_system(project, mapping):
        click.echo(sentence, err=True)


@click.command()
@click.argument("name")
@FILES
def check_source(name: str, paths: tuple[Path, ...]) -> None:
    """Try FILE... with source_systems/NAME.yml: nothing lands, and nothing is kept.

    It says how many rows would be rejected and why, what the shop's customers and
    transactions are, and what can be predicted from such a record.
    """
    from customer_segmentation.source_systems.check import check_source as check
    from customer_segmentation.source_systems.declare import FOLDER, read_mapping

    project = _project()
    mapping = read_mapping(project / FOLDER / f"{name}.yml")
    for line in check(project, mapping, paths):
        click.echo(line)
