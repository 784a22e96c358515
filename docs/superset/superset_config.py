"""Settings of a Superset for one person on one machine; no settings for a server."""

import os
from pathlib import Path

HOME = Path(os.environ["SUPERSET_HOME"])
SECRET_KEY = (HOME / "secret_key").read_text(encoding="utf-8")
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME / 'superset.db'}"
# DuckDB is a file, which Superset refuses to open unless it is told that it may
PREVENT_UNSAFE_DB_CONNECTIONS = False
TALISMAN_ENABLED = False
