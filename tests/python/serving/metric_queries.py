"""Ask `mf query` several questions in one process; a start of `mf` takes seconds.

Reads a JSON list of lists of arguments from stdin. Writes the answers as a JSON list of
lists of rows to stdout: values by column, as the text that `mf query --csv` writes.
"""

import csv
import json
import sys
import tempfile
from pathlib import Path

from click.testing import CliRunner
from dbt_metricflow.cli.cli_configuration import CLIConfiguration
from dbt_metricflow.cli.main import cli


def answer(
    arguments: list[str], configuration: CLIConfiguration
) -> list[dict[str, str]]:
    """Return the rows of one query."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.csv"
        finished = CliRunner().invoke(
            cli,
            ["query", "--quiet", "--csv", str(path), *arguments],
            obj=configuration,
        )
        if finished.exit_code or not path.exists():
            sys.exit(f"mf query {arguments}: {finished.output}")
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


if __name__ == "__main__":
    mf = CLIConfiguration()
    mf.setup()
    print(json.dumps([answer(query, mf) for query in json.load(sys.stdin)]))  # noqa: T201
