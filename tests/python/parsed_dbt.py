"""Parse the project when this is imported, which a server does before it forks.

dbt keeps what it made of its classes and of all templates, so a fork parses the project
in half of the time.
"""

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from dbt.cli.main import dbtRunner

REPOSITORY = str(Path(__file__).parents[2])

with (
    tempfile.TemporaryDirectory() as folder,
    patch.dict(os.environ, {"CUSTOMER_SEGMENTATION_DATABASE": ":memory:"}),
):
    dbtRunner().invoke(
        [
            *("parse", "--quiet"),
            *("--project-dir", REPOSITORY, "--profiles-dir", REPOSITORY),
            *(
                "--target-path",
                folder,
                "--log-path",
                folder,
                "--log-level-file",
                "none",
            ),
        ]
    )
