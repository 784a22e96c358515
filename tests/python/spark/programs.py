"""Stand-ins for Java, and programs that run in a process of their own."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SEVENTEEN = 'openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment'
EIGHT = 'java version "1.8.0_431"\nJava(TM) SE Runtime Environment'


def install_java(folder: Path, version: str) -> Path:
    """Make a program that prints a version, and fails at everything else."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(
        f"#!/bin/sh\n[ \"$1\" = -version ] || exit 1\ncat >&2 <<'.'\n{version}\n.\n"
    )
    java.chmod(0o755)
    return folder


def run_python(
    code: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program from a file: pyspark takes code without a file for a doctest."""
    Path("program.py").write_text(code)
    return subprocess.run(
        [sys.executable, "program.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
