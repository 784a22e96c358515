"""Models, tests and analyses are written in the SQL that DuckDB and Spark share.

SQL that only one engine understands is in macros that are dispatched by engine. So the
SQL as written, without its Jinja, is checked for all constructs, and the compiled SQL
for those that no dispatched macro emits.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from dbt_project import REPOSITORY
from sqlglot.tokens import TokenType

STATEMENTS = ("model", "test", "analysis")
JINJA = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}", re.DOTALL)
MACRO = re.compile(
    r"{%-?\s*(?:macro|test)\s+(\w+)(.*?){%-?\s*end(?:macro|test)\s*-?%}", re.DOTALL
)
# what only one engine reads
VARIANT = re.compile("(default|duckdb|spark)__")
DISPATCH = re.compile(r"adapter\.dispatch\(\s*['\"](\w+)['\"]")


@dataclass(frozen=True)
class Construct:
    """A construct that means something on one engine only, or something else on each.

    Parameters
    ----------
    pattern : str
        Regular expression on the SQL in lower case, without comments and with literals
        emptied, its tokens parted by single spaces.
    why : str
        What is wrong with it.
    instead : str
        What to write.
    is_emitted : bool
        Whether macros that are dispatched by engine, dbt's or ours, emit it.
    """

    pattern: str
    why: str
    instead: str
    is_emitted: bool = False


def calls(*names: str) -> str:
    """Return a pattern of calls of functions."""
    return rf"(?<![.\w])(?:{'|'.join(names)}) \("


CONSTRUCTS = (
    Construct(r"\bqualify\b", "not in Spark 4.1", "a subquery"),
    Construct(r"\* (exclude|except) \(?", "differs", "the columns"),
    Construct(r"\* replace \(", "DuckDB only", "the columns"),
    # dbt.datediff casts like this on DuckDB
    Construct(r"::", "not standard SQL", "cast", is_emitted=True),
    Construct(r" // ", "DuckDB only", "floor(a / b)"),
    Construct(calls("ntile"), "splits ties", "cut points"),
    Construct(
        r"\bcurrent_(date|time|timestamp)\b|" + calls("now", "today"),
        "differs from day to day",
        "as_of_date",
    ),
    Construct(
        calls(r"quantile\w*", "approx_quantile"),
        "DuckDB only",
        "percentile_cont(q) within group",
    ),
    Construct(calls("concat"), "null is nothing on DuckDB", "||"),
    Construct(calls("log"), "base 10 on DuckDB, natural on Spark", "ln or log10"),
    Construct(calls("hash"), "another value on each", "md5"),
    Construct(r"-> ", "differs", "a project macro"),
    Construct(r"\{", "a struct literal differs", "a project macro"),
    Construct(r"\bgroup by all\b|\border by all\b", "not everywhere", "the columns"),
    Construct(
        calls("unnest", "explode"), "differs", "a project macro", is_emitted=True
    ),
    Construct(r"as varchar\b(?! \()", "needs a length on Spark", "cast as string"),
    Construct(
        calls("regexp_replace", "regexp_matches", "regexp_extract") + r"|\brlike\b",
        "differs",
        "a project macro",
    ),
    Construct(calls("strftime", "date_format"), "differs", "a project macro"),
    Construct(r"extract \( (dow|dayofweek)\b", "differs", "a project macro"),
    Construct(r"\[", "a list differs", "a project macro", is_emitted=True),
    Construct(r'"', "a string on Spark", "plain names", is_emitted=True),
    Construct(
        calls("date_diff", "datediff", "date_sub", "date_add"),
        "differs",
        "dbt.datediff or dbt.dateadd",
        is_emitted=True,
    ),
    Construct(r"\binterval\b", "differs", "dbt.dateadd", is_emitted=True),
    Construct(
        calls(
            *("read_parquet", "read_csv", "glob", "json_object", "to_json"),
            *("named_struct", "map", "struct_pack", "list_value", "strptime"),
            *("try_strptime", "to_timestamp", "try_to_timestamp"),
        )
        + r"|\bparquet \.",
        "one engine only",
        "a project macro",
        is_emitted=True,
    ),
)


def skeleton(sql: str) -> str:
    """Return SQL without comments and the content of literals, in lower case."""
    words = []
    for token in sqlglot.tokenize(sql, dialect="duckdb"):
        if token.token_type == TokenType.STRING:
            words.append("''")
        elif token.token_type == TokenType.IDENTIFIER:
            words.append('"quoted"')
        else:
            words.append(token.text.lower())
    # dbt quotes the whole name of a relation itself
    relation = '"quoted" . "quoted" . "quoted"'
    return " ".join(words).replace(relation, "relation") + " "


def violations(sql: str, *, is_compiled: bool) -> list[str]:
    """Say which constructs SQL has that it should not have."""
    text = skeleton(sql if is_compiled else JINJA.sub(" jinja ", sql))
    return [
        f"`{found[0]}`: {construct.why}; write {construct.instead}"
        for construct in CONSTRUCTS
        if not (is_compiled and construct.is_emitted)
        and (found := re.search(construct.pattern, text))
    ]


@pytest.fixture(scope="module")
def compiled_nodes(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Models, tests and analyses as dbt compiles them."""
    return [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] in STATEMENTS and node.get("language") == "sql"
    ]


def test_every_statement_is_portable(compiled_nodes: list[dict[str, Any]]):
    assert {node["resource_type"] for node in compiled_nodes} == set(STATEMENTS)
    assert all(node["compiled_code"] for node in compiled_nodes)
    found = [
        f"{node['original_file_path']} ({node['name']}): {violation}"
        for node in compiled_nodes
        for violation in [
            *violations(node["raw_code"], is_compiled=False),
            *violations(node["compiled_code"], is_compiled=True),
        ]
    ]
    assert not found, "\n".join(found)


def macros() -> Iterator[tuple[Path, str, str]]:
    """Yield file, name and body of each macro and generic test."""
    for folder in ("macros", "tests/generic"):
        for path in sorted((REPOSITORY / folder).glob("**/*.sql")):
            for name, body in MACRO.findall(path.read_text(encoding="utf-8")):
                yield path.relative_to(REPOSITORY), name, body


def sql_of_macros() -> Iterator[Any]:
    """Yield file, name and SQL of the macros that both engines read."""
    for path, name, body in macros():
        # the arguments of a macro end where its first tag ends
        sql = body.partition("%}")[2]
        if JINJA.sub("", sql).strip() and not VARIANT.match(name):
            yield pytest.param(path, name, sql, id=name)


@pytest.mark.parametrize(("path", "name", "sql"), list(sql_of_macros()))
def test_only_a_dispatched_macro_speaks_one_engine(path: Path, name: str, sql: str):
    found = violations(sql, is_compiled=False)
    assert not found, f"{path} ({name}): {found}"


def test_every_dispatched_macro_has_a_variant_for_each_engine():
    names = {name for _, name, _ in macros()}
    dispatched = {
        called for _, _, body in macros() for called in DISPATCH.findall(body)
    }
    assert dispatched
    missing = {f"spark__{name}" for name in dispatched} - names
    missing |= {
        f"default__{name}"
        for name in dispatched
        if not {f"default__{name}", f"duckdb__{name}"} & names
    }
    assert missing == set()


@pytest.mark.parametrize(
    "sql",
    [
        "select a from t qualify row_number() over (order by a) = 1",
        "select * exclude (a) from t",
        "select * replace (1 as a) from t",
        "select 7 // 2",
        "select ntile(5) over (order by a) from t",
        "select current_date",
        "select now()",
        "select QUANTILE_CONT(a, 0.5) from t",
        "select approx_quantile(a, 0.5) from t",
        "select concat(a, b) from t",
        "select log(a) from t",
        "select hash(a) from t",
        "select list_transform(a, x -> x + 1) from t",
        "select {'a': 1}",
        "select a from t group by all",
        "select cast(a as varchar) from t",
        "select regexp_replace(a, 'b', 'c') from t",
        "select strftime(a, '%Y') from t",
        "select extract(dow from a) from t",
    ],
)
def test_a_construct_is_found(sql: str):
    assert violations(sql, is_compiled=False)
    assert violations(sql, is_compiled=True)


@pytest.mark.parametrize(
    "sql",
    [
        "select a::int from t",
        "select [1, 2]",
        "select a[1] from t",
        'select "a" from t',
        "select date_diff('day', a, b) from t",
        "select a + interval 1 day from t",
        "select * from read_parquet('a')",
        "select json_object('a', 1)",
        "select try_strptime(a, 'b') from t",
        "select * from parquet.`a`",
        "select unnest(a) from t",
    ],
)
def test_what_a_dispatched_macro_may_emit_is_found_where_it_is_written(sql: str):
    assert violations(sql, is_compiled=False)
    assert not violations(sql, is_compiled=True)


@pytest.mark.parametrize(
    "sql",
    [
        "select 'qualify a::int // current_date {[' from t",
        "select a from t -- concat(a, b), ntile(5) and * exclude (a)",
        'select a /* log(a) -> "b" */ from t',
        "select log10(a), ln(b), concat_ws(', ', a, b), qualified from t",
        "select hash_of_row, current_date_key from t",
        'select * from "db"."schema"."table"',
        "select {{ dbt.datediff('a', 'b', 'day') }} from {{ ref('t') }}",
        "{{ config(tags=['a']) }} select count(*) from t {# a::int #}",
    ],
)
def test_a_look_alike_is_allowed(sql: str):
    assert not violations(sql, is_compiled=False)
    if "{{" not in sql:
        assert not violations(sql, is_compiled=True)
