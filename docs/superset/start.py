"""Start Superset on the published tables, with a dashboard of the segments.

``make superset`` runs it in an environment of its own.
"""

import argparse
import os
import secrets
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
DASHBOARD = HERE / "dashboard"
# stands for the published file in the definition of the database
PLACEHOLDER = "MARTS"
USER = "admin"


def main() -> None:
    """Prepare Superset's own database once, import the dashboard, and serve it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--marts", type=Path, default="data/published/marts.duckdb")
    parser.add_argument("--home", type=Path, default="data/superset")
    parser.add_argument("--port", type=int, default=8088)
    options = parser.parse_args()
    marts, home = options.marts.resolve(), options.home.resolve()
    if not marts.exists():
        sys.exit(f"{marts} is missing: run `make build` first")
    home.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "SUPERSET_HOME": str(home),
        "SUPERSET_CONFIG_PATH": str(HERE / "superset_config.py"),
        "FLASK_APP": "superset",
    }

    def superset(*arguments: str) -> None:
        command = [str(Path(sys.executable).with_name("superset")), *arguments]
        with (home / "superset.log").open("a", encoding="utf-8") as log:
            subprocess.run(command, env=environment, stdout=log, stderr=log, check=True)

    password, prepared = home / "password", home / "prepared"
    if not prepared.exists():
        # a start that failed may have left a user, whose password must be the one here
        for secret, length in ((home / "secret_key", 32), (password, 9)):
            if not secret.exists():
                write_private(secret, secrets.token_urlsafe(length))
        superset("db", "upgrade")
        superset(
            *("fab", "create-admin", "--username", USER),
            *("--password", password.read_text(encoding="utf-8")),
            *("--firstname", "A", "--lastname", "User", "--email", "user@localhost"),
        )
        superset("init")
        prepared.touch()
    archive = home / "dashboard.zip"
    pack(archive, marts)
    superset("import-dashboards", "--path", str(archive), "--username", USER)
    sys.stdout.write(
        f"http://127.0.0.1:{options.port}/superset/dashboard/segments/\n"
        f"user {USER}, password in {password}; Ctrl+C ends it\n"
    )
    sys.stdout.flush()
    superset("run", "--port", str(options.port))


def pack(archive: Path, marts: Path) -> None:
    """Write the dashboard as Superset imports it, on the published file."""
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted(DASHBOARD.rglob("*.yaml")):
            text = file.read_text(encoding="utf-8").replace(PLACEHOLDER, str(marts))
            packed.writestr(str(file.relative_to(HERE)), text)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
