"""White space, ids and keys, as the macros of staging and core make them."""

from typing import Any

import duckdb
from texts_and_keys import (
    LINES,
    NUMBERS,
    TEXTS,
    TIMES,
    query_of_numbers,
    query_of_texts,
    query_of_times,
)

NODES = "model.customer_segmentation."


def test_texts_are_trimmed_and_ids_are_never_empty():
    with duckdb.connect() as connection:
        connection.execute("create table texts (number int, raw varchar)")
        rows = [(number, raw) for number, (raw, *_) in enumerate(TEXTS)]
        connection.executemany("insert into texts values (?, ?)", rows)
        found = connection.execute(query_of_texts()).fetchall()
    assert found == [(known, identifier) for _, known, identifier in TEXTS]


def test_numbers_have_no_separators():
    with duckdb.connect() as connection:
        connection.execute("create table texts (number int, raw varchar)")
        rows = [(number, raw) for number, (raw, _) in enumerate(NUMBERS)]
        connection.executemany("insert into texts values (?, ?)", rows)
        found = connection.execute(query_of_numbers()).fetchall()
    assert found == [(number,) for _, number in NUMBERS]


def test_days_are_those_of_the_shop():
    with duckdb.connect() as connection:
        # as profiles.yml sets it
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("create table texts (number int, raw varchar)")
        rows = [(number, raw) for number, (raw, _) in enumerate(TIMES)]
        connection.executemany("insert into texts values (?, ?)", rows)
        found = connection.execute(query_of_times("default")).fetchall()
    assert found == [(time,) for _, time in TIMES]


def test_a_separator_in_an_id_makes_no_key_of_another_line(manifest: dict[str, Any]):
    nodes = manifest["nodes"]
    node = nodes[f"{NODES}int_online_retail__transaction_lines"]
    lines, products = (
        nodes[f"{NODES}{name}"]
        for name in (
            "stg_online_retail__invoice_lines",
            "int_online_retail__products",
        )
    )
    with duckdb.connect() as connection:
        connection.execute(f"attach ':memory:' as \"{lines['database']}\"")
        # a view does not name the database
        connection.execute(f'use "{lines["database"]}"')
        for schema in {lines["schema"], products["schema"]}:
            connection.execute(f'create schema "{lines["database"]}"."{schema}"')
        connection.execute(
            f"create table {lines['relation_name']} as select true as is_usable, "
            "cast(null as varchar) as invoice_id, cast(null as varchar) as stock_code, "
            "now()::timestamp as invoiced_at, 1 as quantity, 1.0 as unit_price, "
            "'d' as description, 'c' as customer_id, 'UK' as country, 1.0 as amount "
            "limit 0"
        )
        for invoice, code, _ in LINES:
            connection.execute(
                f"insert into {lines['relation_name']} (is_usable, invoice_id, "
                "stock_code) values (true, ?, ?)",
                [invoice, code],
            )
        connection.execute(
            f"create table {products['relation_name']} as select distinct "
            "stock_code as product_id, stock_code as product_key, true as is_product "
            f"from {lines['relation_name']}"
        )
        keys = connection.execute(
            f"select transaction_line_key from ({node['compiled_code']})"
        ).fetchall()
    assert {key for (key,) in keys} == {f"online_retail:{key}" for *_, key in LINES}
    assert len({key for (key,) in keys}) == len(LINES)
