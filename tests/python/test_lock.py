"""The lock names one version of each package, with hashes; licences allow our use."""

import re
from importlib.metadata import distributions

import pytest
from dbt_project import REPOSITORY

LOCKS = ("requirements.txt", "requirements-spark.txt")
REQUIREMENT = re.compile(
    r"(?P<name>[a-z0-9-]+)(\[[a-z,-]+\])?==(?P<version>[^ ;]+)( ; [^\\]+)? \\"
)
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
# a program under Apache-2.0 may use what has one of these
PERMISSIVE = re.compile(
    r"MIT|Apache|BSD|ISC|PSF|Python Software|MPL|Mozilla|Artistic|Zlib|CC0|Unlicense",
    re.IGNORECASE,
)
# their metadata name no licence, their files do
READ_BY_HAND = {"kneed": "BSD-3-Clause", "skops": "MIT"}


def locked(lock: str) -> dict[str, list[str]]:
    """Return the hashes of each locked package by name and version."""
    found: dict[str, list[str]] = {}
    for line in (REPOSITORY / lock).read_text(encoding="utf-8").splitlines():
        if HASH.fullmatch(line):
            found[[*found][-1]].append(line.split(":")[1][:64])
        elif line and not line.lstrip().startswith("#"):
            requirement = REQUIREMENT.fullmatch(line)
            assert requirement, f"{lock}: {line}"
            found[requirement["name"]] = []
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_each_package_is_pinned_with_hashes(lock: str) -> None:
    hashes = locked(lock)
    assert len(hashes) > 20
    assert [name for name, found in hashes.items() if not found] == []


def test_licences_allow_our_use() -> None:
    names = {name for lock in LOCKS for name in locked(lock)}
    doubtful = {}
    for one in distributions():
        name = re.sub("[-_.]+", "-", one.metadata["Name"]).lower()
        classifiers = one.metadata.get_all("Classifier", [])
        licence = "; ".join(
            [
                one.metadata.get("License-Expression") or "",
                (one.metadata.get("License") or "")[:200],
                *(text for text in classifiers if text.startswith("License ::")),
            ]
        )
        is_known = PERMISSIVE.search(licence) or name in READ_BY_HAND
        if name in names and not is_known:
            doubtful[name] = licence
    assert doubtful == {}
