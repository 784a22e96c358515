"""What the pages say is there: commands, links, and the grid of RFM segments."""

import csv
import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from dbt_project import REPOSITORY

PAGES = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")]
MEASURES = "assert_every_measure_is_a_feature"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_command_is_in_the_makefile(page: Path) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, flags=re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    quoted = re.findall(r"`make ([a-z-]+)", text)
    in_code = re.findall(r"^make ([a-z-]+)(?: +#| [A-Z]+=|$)", text, flags=re.MULTILINE)
    commands = {*quoted, *in_code}
    assert commands <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_rfm_grid_of_the_docs_is_that_of_the_seed() -> None:
    docs = (REPOSITORY / "models/rfm/_rfm__docs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|", docs, flags=re.MULTILINE)
    documented = {name: (r, f) for name, r, f in rows if name != "segment"}
    with (REPOSITORY / "seeds/rfm_segments.csv").open(encoding="utf-8") as file:
        seeds: dict[str, list[tuple[str, str]]] = {}
        for row in csv.DictReader(file):
            scores = tuple(
                scores_in_words(
                    row[f"{measure}_score_from"], row[f"{measure}_score_to"]
                )
                for measure in ("recency", "frequency")
            )
            seeds.setdefault(row["rfm_segment"], []).append(scores)
    assert documented == {
        name: tuple(", or ".join(parts) for parts in zip(*found, strict=True))
        for name, found in seeds.items()
    }


def scores_in_words(lowest: str, highest: str) -> str:
    """Return a range of scores as the docs write it."""
    if highest == "0":
        return "–"  # noqa: RUF001
    return lowest if lowest == highest else f"{lowest}–{highest}"  # noqa: RUF001


def test_pictures_show_the_models_that_are_there(
    manifest: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = REPOSITORY / "docs"
    monkeypatch.syspath_prepend(str(docs))
    flow, lineage, tables = (
        importlib.import_module(f"drawing.{name}")
        for name in ("flow", "lineage", "tables")
    )
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    project = importlib.import_module("drawing.manifest").Lineage.read(path)
    for name, drawing in (
        ("flow", flow.flow()),
        ("lineage", lineage.lineage(project)),
        ("tables", tables.tables(project)),
    ):
        drawing.save(tmp_path / name)
        is_current = (docs / "pictures" / f"{name}.svg").read_bytes() == (
            tmp_path / name
        ).read_bytes()
        assert is_current, f"{name}.svg is outdated: run `make pictures`"


def test_every_measure_of_the_features_is_checked(manifest: dict[str, Any]) -> None:
    def parents(unique_id: str) -> set[str]:
        nodes = manifest["nodes"][unique_id]["depends_on"]["nodes"]
        return {node.rpartition(".")[2] for node in nodes}

    project = "customer_segmentation"
    read = parents(f"model.{project}.int_features__customer_days")
    # the spine, the attributes, and the merchants, of which two columns are features
    others = {"int_features__as_of_dates", "customers", "int_features__merchant_shares"}
    # the shares of categories, which the model itself computes
    others |= {"int_products__assignments", "int_features__category_totals"}
    [test] = [
        one for one in manifest["nodes"] if one.startswith("test.") and MEASURES in one
    ]
    assert read - others == parents(test)
