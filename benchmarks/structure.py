"""Print how the project is built: paths through its models, its modules, its pages.

Run with ``python benchmarks/structure.py`` after ``dbt compile`` or a build;
``--project`` and ``--manifest`` name another checkout, ``--time "make check"`` also
measures a command. ``tests/python/test_project_structure.py`` imports this file for its
limits.
"""

import ast
import json
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import Any

import click
import networkx as nx
import sqlglot
from sqlglot import exp

__all__ = [
    "SUBJECTS",
    "Lineage",
    "Modules",
    "passes_columns_only",
    "reads_against_the_order",
]

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = "customer_segmentation"
# a folder reads only those before it
SUBJECTS = (
    *("staging", "core", "products", "features", "rfm", "segmentation", "prediction"),
    *("movement", "exploration", "serving"),
)
SHORT, LONG = 60, 300
RESULT = "customer_segments"
# the one module outside of the subjects that may read them all
COMMAND_LINE = f"{PACKAGE}.cli"
JINJA_COMMENT_OR_BLOCK = re.compile(r"{#.*?#}|{%.*?%}", re.DOTALL)
JINJA_CONFIG = re.compile(r"{{-?\s*config\(.*?\)\s*-?}}", re.DOTALL)
JINJA_REF = re.compile(r"{{-?\s*ref\(\s*['\"](\w+)['\"]\s*\)\s*-?}}")
JINJA = re.compile(r"{{.*?}}", re.DOTALL)
# what a statement is made of that only passes columns on, under other names at most
PASSING = (
    *(exp.Select, exp.With, exp.CTE, exp.TableAlias, exp.From, exp.Table),
    *(exp.Identifier, exp.Column, exp.Star, exp.Alias),
)


# ---------- models


@dataclass(frozen=True)
class Model:
    """A model of dbt.

    Parameters
    ----------
    name : str
        Its name.
    path : str
        Its file, relative to the project.
    language : str
        ``sql`` or ``python``.
    sql : str
        The compiled SQL, or as written where dbt has not compiled it.
    parents : tuple of str
        Unique ids of the nodes that it reads.
    """

    name: str
    path: str
    language: str
    sql: str
    parents: tuple[str, ...]

    @property
    def folder(self) -> str:
        """The directory of the file."""
        return str(PurePosixPath(self.path).parent)

    @property
    def subject(self) -> str:
        """The first folder under ``models`` or ``python_models``."""
        return subject_of(self.path)


def subject_of(path: str) -> str:
    """Return the subject of a file of models, python_models or tests.

    Examples
    --------
    >>> subject_of("models/core/intermediate/int_mall__customers.sql")
    'core'
    >>> subject_of("tests/assert_something.sql")
    ''
    """
    _, *folders, _ = PurePosixPath(path).parts
    return folders[0] if folders else ""


class Lineage:
    """The models of a manifest, and who reads whom.

    Parameters
    ----------
    manifest : mapping
        dbt's ``manifest.json``.
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        nodes = manifest["nodes"]
        self.others = {
            key: node
            for key, node in (nodes | manifest.get("unit_tests", {})).items()
            if node["resource_type"] in ("test", "unit_test")
        }
        self.models = {
            key: Model(
                node["name"],
                node["original_file_path"],
                node["language"],
                node.get("compiled_code") or node["raw_code"],
                tuple(node["depends_on"]["nodes"]),
            )
            for key, node in nodes.items()
            if node["resource_type"] == "model"
        }
        self.graph = nx.DiGraph()
        self.graph.add_nodes_from(self.models)
        self.graph.add_edges_from(
            (parent, key)
            for key, model in self.models.items()
            for parent in model.parents
            if parent in self.models
        )

    @classmethod
    def read(cls, path: Path) -> "Lineage":
        """Read a manifest."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def named(self, name: str) -> str:
        """Return the unique id of a model."""
        [key] = [key for key, model in self.models.items() if model.name == name]
        return key

    @cached_property
    def longest_path(self) -> list[Model]:
        """The longest path, from the first model to the last."""
        return [self.models[key] for key in nx.dag_longest_path(self.graph)]

    def farthest(
        self, target: str, cost: Callable[[Model, Model], bool]
    ) -> dict[str, int]:
        """Return the highest cost of a path to a model.

        Parameters
        ----------
        target : str
            Name of the model at the end of the path.
        cost : callable
            Says whether a step from one model to the next counts.

        Returns
        -------
        dict of str to int
            By unique id of each model that the target depends on.
        """
        costs = {self.named(target): 0}
        for key in reversed(list(nx.topological_sort(self.graph))):
            steps = [
                costs[child] + cost(self.models[key], self.models[child])
                for child in self.graph.successors(key)
                if child in costs
            ]
            if steps:
                costs[key] = max(steps)
        return costs

    def from_staging(self, target: str) -> dict[str, dict[str, int]]:
        """Return hops and changes of folder from each staging model to a model."""
        counted = {
            "hops": self.farthest(target, lambda one, other: True),
            "changes_of_folder": self.farthest(
                target, lambda one, other: one.folder != other.folder
            ),
            "changes_of_subject": self.farthest(
                target, lambda one, other: one.subject != other.subject
            ),
        }
        return {
            model.name: {name: costs[key] for name, costs in counted.items()}
            for key, model in sorted(self.models.items())
            if model.subject == "staging" and key in counted["hops"]
        }

    def python_models_above(self, name: str) -> list[str]:
        """Return the Python models that a model depends on."""
        return sorted(
            self.models[key].name
            for key in nx.ancestors(self.graph, self.named(name))
            if self.models[key].language == "python"
        )

    @property
    def passing_on(self) -> list[str]:
        """Models that pass on columns of one SQL model or seed, and do nothing else."""
        return self._thin(passes_columns_only, "sql")

    @property
    def filtering(self) -> list[str]:
        """Models that only filter the columns of one SQL model or seed."""
        thin = self._thin(partial(passes_columns_only, and_=(exp.Where,)), "sql")
        return sorted(set(thin) - set(self.passing_on))

    @property
    def publishing(self) -> list[str]:
        """Models that only type or filter the columns of one Python model."""
        thin = partial(passes_columns_only, and_=(exp.Where, exp.Cast))
        return self._thin(thin, "python")

    def _thin(self, is_thin: Callable[[str], bool], parent_language: str) -> list[str]:
        return sorted(
            model.name
            for model in self.models.values()
            if model.language == "sql"
            and [self._language(key) for key in model.parents] == [parent_language]
            and is_thin(model.sql)
        )

    def _language(self, key: str) -> str:
        kind = key.partition(".")[0]
        if kind == "model":
            return self.models[key].language
        return {"seed": "sql"}.get(kind, kind)

    @property
    def subjects_in_circles(self) -> list[list[str]]:
        """Subjects that read each other."""
        return circles(
            nx.DiGraph(
                (self.models[one].subject, self.models[other].subject)
                for one, other in self.graph.edges
            )
        )

    @property
    def readers(self) -> list[tuple[str, str, list[Model]]]:
        """Name, file and models read of each model and test.

        A generic test belongs to the folder of the YAML file that asks for it.
        """
        nodes = [(one.name, one.path, one.parents) for one in self.models.values()]
        nodes += [
            (one["name"], one["original_file_path"], tuple(one["depends_on"]["nodes"]))
            for one in self.others.values()
            if not one["original_file_path"].startswith("seeds/")
        ]
        return [
            (name, path, [self.models[key] for key in parents if key in self.models])
            for name, path, parents in nodes
        ]

    @property
    def folders_without_a_subject(self) -> list[str]:
        """Folders of models and tests that stand outside of the subjects."""
        return sorted(
            {
                str(PurePosixPath(path).parent)
                for _, path, _ in self.readers
                if subject_of(path) not in SUBJECTS
            }
        )

    def reads_against_the_order(self) -> list[str]:
        """Return a sentence for each model or test that reads a later subject."""
        return sorted(
            f"{path}: {name} reads {model.name} of {model.subject}, which comes later"
            for name, path, models in self.readers
            for model in models
            if comes_later(model.subject, subject_of(path))
        )


def comes_later(one: str, other: str) -> bool:
    """Whether a subject comes after another; what is no subject does not."""
    return {one, other} <= set(SUBJECTS) and (
        SUBJECTS.index(one) > SUBJECTS.index(other)
    )


def passes_columns_only(sql: str, *, and_: tuple[type[exp.Expr], ...] = ()) -> bool:
    """Whether a statement selects columns of one table, and does nothing else.

    Parameters
    ----------
    sql : str
        A statement, compiled or with its Jinja.
    and_ : tuple of types
        Kinds of expressions that do not count as something else, with all in them.

    Examples
    --------
    >>> passes_columns_only("with a as (select * from {{ ref('t') }}) select b from a")
    True
    >>> passes_columns_only("select b + 1 as b from {{ ref('t') }}")
    False
    """
    try:
        statement = sqlglot.parse_one(without_jinja(sql), dialect="duckdb")
    except sqlglot.ParseError:
        # what only Jinja completes is written by a macro, and not passed on
        return False
    return all(
        isinstance(node, PASSING + and_)
        for node in statement.walk(prune=lambda node: isinstance(node, and_))
    )


def without_jinja(sql: str) -> str:
    """Return SQL in which refs are tables, and other Jinja calls a function."""
    for pattern, instead in (
        (JINJA_COMMENT_OR_BLOCK, " "),
        (JINJA_CONFIG, " "),
        (JINJA_REF, r"\1"),
        (JINJA, " jinja() "),
    ):
        sql = pattern.sub(instead, sql)
    return sql


# ---------- modules


@dataclass(frozen=True)
class Module:
    """A module of the package.

    Parameters
    ----------
    name : str
        Its name with its packages, dotted.
    is_package : bool
        Whether it is the ``__init__`` of a package.
    lines : int
        Of its file.
    classes : tuple of str
        That it defines.
    """

    name: str
    is_package: bool
    lines: int
    classes: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The package below the whole one, or nothing."""
        _, *inner = self.name.split(".")
        return inner[0] if len(inner) > 1 or (self.is_package and inner) else ""


class Modules:
    """The modules of the package, and which imports which.

    Parameters
    ----------
    project : Path
        The checkout.
    """

    def __init__(self, project: Path) -> None:
        source = project / "src"
        trees = {}
        self.modules: dict[str, Module] = {}
        for path in sorted((source / PACKAGE).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            parts = path.relative_to(source).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            trees[name] = ast.parse(text)
            classes = tuple(
                node.name
                for node in ast.walk(trees[name])
                if isinstance(node, ast.ClassDef)
            )
            lines = len(text.splitlines())
            self.modules[name] = Module(name, is_package, lines, classes)
        self.graph = nx.DiGraph()
        self.graph.add_nodes_from(self.modules)
        self.graph.add_edges_from(
            (name, imported)
            for name, tree in trees.items()
            for imported in imports(tree)
            for imported in [self._module(imported)]
            if imported and imported != name
        )

    def _module(self, imported: str) -> str:
        """Return the module of what is imported: itself, or a name in it."""
        if imported in self.modules:
            return imported
        parent = imported.rpartition(".")[0]
        return parent if parent in self.modules else ""

    @property
    def subjects(self) -> list[str]:
        """The packages, the modules that stand in none as an empty one."""
        return sorted({module.subject for module in self.modules.values()})

    def of(self, subject: str) -> list[Module]:
        """Return the modules of a package."""
        return [one for one in self.modules.values() if one.subject == subject]

    def sized(self, *, under: int = 10**9, over: int = 0) -> dict[str, int]:
        """Return the lines of modules of some size; an ``__init__`` has a reason."""
        return {
            module.name: module.lines
            for module in self.modules.values()
            if not module.is_package
            and not module.name.endswith(".__main__")
            and over < module.lines < under
        }

    def imports_within(self, subject: str) -> nx.DiGraph:
        """Return which module of a package imports which, without its ``__init__``."""
        names = [one.name for one in self.of(subject) if one.name.count(".") > 1]
        return self.graph.subgraph(names)

    def longest_import(self, subject: str) -> list[str]:
        """Return the longest chain of imports in a package, a circle being one link."""
        graph = nx.condensation(self.imports_within(subject))
        return [
            " = ".join(
                sorted(
                    name.split(".", 2)[-1] for name in graph.nodes[number]["members"]
                )
            )
            for number in nx.dag_longest_path(graph)
        ]

    @property
    def circles(self) -> list[list[str]]:
        """Modules that import each other."""
        return circles(self.graph)

    @property
    def classes_defined_twice(self) -> dict[str, list[str]]:
        """The modules of each class name that more than one class has."""
        homes: dict[str, list[str]] = {}
        for module in self.modules.values():
            for name in module.classes:
                homes.setdefault(name, []).append(module.name)
        return {name: found for name, found in sorted(homes.items()) if found[1:]}

    def reads_against_the_order(self) -> list[str]:
        """Return a sentence for each import of a later subject.

        What belongs to no subject, all subjects may import, so it imports none.
        """
        found = []
        for one, other in sorted(self.graph.edges):
            subject, imported = (self.modules[name].subject for name in (one, other))
            if comes_later(imported, subject):
                found.append(f"{one} imports {other}, which comes later")
            elif (
                subject not in SUBJECTS and imported in SUBJECTS and one != COMMAND_LINE
            ):
                found.append(f"{one}, which is of no subject, imports {other}")
        return found


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield what a module imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def circles(graph: nx.DiGraph) -> list[list[str]]:
    """Return the groups of nodes that reach each other."""
    return sorted(
        sorted(group)
        for group in nx.strongly_connected_components(graph)
        if len(group) > 1
    )


def reads_against_the_order(lineage: Lineage, modules: Modules) -> list[str]:
    """Return a sentence for each model, test or module that reads a later subject."""
    return lineage.reads_against_the_order() + modules.reads_against_the_order()


# ---------- figures


def figures_of_models(lineage: Lineage) -> dict[str, Any]:
    """Return the figures of the models."""
    paths = lineage.from_staging(RESULT)
    return {
        "models": len(lineage.models),
        "python_models": sum(
            one.language == "python" for one in lineage.models.values()
        ),
        "longest_path": [f"{one.name} ({one.folder})" for one in lineage.longest_path],
        "longest_path_models": len(lineage.longest_path),
        f"from_staging_to_{RESULT}": paths,
        f"from_staging_to_{RESULT}_at_most": {
            figure: max(one[figure] for one in paths.values())
            for figure in ("hops", "changes_of_folder", "changes_of_subject")
        },
        "from_staging_to_customer_rfm_hops_at_most": max(
            one["hops"] for one in lineage.from_staging("customer_rfm").values()
        ),
        "python_models_above_customer_rfm": lineage.python_models_above("customer_rfm"),
        "models_that_pass_columns_only": lineage.passing_on,
        "models_that_filter_one_sql_model_only": lineage.filtering,
        "models_that_type_or_filter_one_python_model_only": lineage.publishing,
        "subjects_that_read_each_other": lineage.subjects_in_circles,
        "folders_without_a_subject": lineage.folders_without_a_subject,
    }


def figures_of_modules(modules: Modules) -> dict[str, Any]:
    """Return the figures of the package."""
    packages = {}
    for subject in modules.subjects:
        members = modules.of(subject)
        packages[subject or "(no package)"] = {
            "modules": len(members),
            "lines": sum(one.lines for one in members),
            "imports": modules.imports_within(subject).number_of_edges(),
            "levels": len(modules.longest_import(subject)) if subject else 0,
            "longest_import": modules.longest_import(subject) if subject else [],
        }
    return {
        "modules": len(modules.modules),
        "lines": sum(one.lines for one in modules.modules.values()),
        "packages": packages,
        f"modules_under_{SHORT}_lines": modules.sized(under=SHORT),
        f"modules_over_{LONG}_lines": modules.sized(over=LONG),
        "modules_that_import_each_other": modules.circles,
        "class_names_defined_twice": modules.classes_defined_twice,
    }


def figures_of_the_last_build(manifest: Path) -> dict[str, Any]:
    """Return how long dbt took for what it ran last into the manifest's folder."""
    path = manifest.with_name("run_results.json")
    if not path.exists():
        return {}
    run = json.loads(path.read_text(encoding="utf-8"))
    slowest = sorted(run["results"], key=lambda one: -one["execution_time"])[:10]
    return {
        "command": run["args"].get("which"),
        "nodes": len(run["results"]),
        "seconds": round(run["elapsed_time"], 1),
        "slowest": {
            one["unique_id"].split(".")[-1]: round(one["execution_time"], 1)
            for one in slowest
        },
    }


def seconds_of(command: str, project: Path) -> float:
    """Return how long a command takes, which must succeed."""
    start = time.perf_counter()
    subprocess.run(shlex.split(command), cwd=project, check=True)
    return round(time.perf_counter() - start, 1)


def figures(project: Path, manifest: Path, commands: Iterable[str]) -> dict[str, Any]:
    """Return all figures of a checkout."""
    lineage, modules = Lineage.read(manifest), Modules(project)
    readme = (project / "README.md").read_text(encoding="utf-8")
    return {
        "models": figures_of_models(lineage),
        "python": figures_of_modules(modules),
        "reads_against_the_order_of_subjects": reads_against_the_order(
            lineage, modules
        ),
        "readme": {"words": len(readme.split()), "lines": len(readme.splitlines())},
        "last_dbt_command": figures_of_the_last_build(manifest),
        "seconds": {command: seconds_of(command, project) for command in commands},
    }


def lines(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield a figure as lines of text, what belongs to it indented."""
    indent = "  " * depth
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, dict | list) and inner:
                size = f": {len(inner)}" if isinstance(inner, list) else ""
                yield f"{indent}{name}{size}"
                yield from lines(inner, depth + 1)
            else:
                empty = isinstance(inner, dict | list)
                yield f"{indent}{name}: {'none' if empty else inner}"
    else:
        for inner in value:
            text = ", ".join(inner) if isinstance(inner, list) else inner
            yield f"{indent}- {text}"


@click.command()
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=PROJECT,
    help="Another checkout.",
)
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="dbt's manifest, by default target/manifest.json.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--time", "commands", multiple=True, help="A command to measure.")
def measure(
    project: Path,
    manifest: Path | None,
    json_file: Path | None,
    commands: tuple[str, ...],
) -> None:
    """Print the figures; say also as JSON, if a file is named."""
    manifest = manifest or project / "target" / "manifest.json"
    if not manifest.exists():
        raise click.ClickException(f"{manifest} is missing: run `dbt parse` first")
    found = figures(project, manifest, commands)
    for line in lines(found):
        click.echo(line)
    if json_file:
        json_file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    measure()
