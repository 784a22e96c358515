"""A mapping is guessed from a shop's files, and asks where it cannot know."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from customer_segmentation.cli import cli
from customer_segmentation.errors import InputError
from customer_segmentation.source_systems.columns import profile_file
from customer_segmentation.source_systems.declare import SourceMapping, parse_mapping
from customer_segmentation.source_systems.expressions import check_expressions
from customer_segmentation.source_systems.guess import GuessedFile, guess_files
from customer_segmentation.source_systems.located import read_located
from customer_segmentation.source_systems.scaffold import scaffold

Rows = list[list[object]]
# the headers of exports of shop software, and a shop's own
EXPORTS = {
    "a shop's own": (
        ["Order ID", "Customer ID", "Date", "Total"],
        ["order_id", "customer_id", "date_value", "total"],
    ),
    "order numbers": (
        ["Order Number", "Client", "Created at", "Grand Total"],
        ["order_number", "client", "created_at", "grand_total"],
    ),
    "invoices": (
        ["InvoiceNo", "CustomerID", "InvoiceDate", "Amount"],
        ["invoice_no", "customer_id", "invoice_date", "amount"],
    ),
    "a bank's words": (
        ["transaction_id", "account_id", "timestamp", "value"],
        ["transaction_id", "account_id", "timestamp_value", "value"],
    ),
}
MORE = ["Status", "Country", "Age", "Note"]


def write(folder: Path, name: str, headers: list[str], rows: Rows) -> Path:
    path = folder / f"{name}.csv"
    lines = [headers, *rows]
    path.write_text("\n".join(",".join(map(str, line)) for line in lines) + "\n")
    return path


def orders(count: int = 30, **changed: object) -> Rows:
    """Return orders of ten customers: id, customer, day, amount and more."""
    row = {"status": "paid", "country": "DE", "age": 40, "note": "x"} | changed
    return [
        [1_000 + one, one % 10, f"2024-01-{one % 28 + 1:02}", 2.5 * one, *row.values()]
        for one in range(count)
    ]


def mapped(found: list[GuessedFile]) -> SourceMapping:
    """Return the mapping that is written, read and checked."""
    text = scaffold("shop", found)
    mapping = parse_mapping(read_located(text, "source_systems/shop.yml"), "shop")
    check_expressions(mapping)
    return mapping


@pytest.mark.parametrize("export", EXPORTS)
def test_columns_are_found_under_the_names_of_shops(
    export: str, tmp_path: Path
) -> None:
    headers, names = EXPORTS[export]
    path = write(tmp_path, "orders", [*headers, *MORE], orders())
    mapping = mapped(guess_files([profile_file(path)]))
    [table] = mapping.tables
    assert [column.name for column in table.columns][:4] == names
    assert table.key == (names[0],)
    by_name = {relation.name: relation for relation in mapping.relations}
    assert list(by_name["transactions"].columns.values())[:3] == names[:3]
    # without a file of customers, their first order says what is known of them
    assert by_name["customers"].first_by == names[2]
    assert by_name["customers"].columns["age"] == "age"
    # each header is found again when the file lands
    landed = mapping.source_system.table("orders")
    for header, column in zip(headers, landed.columns, strict=False):
        assert column.is_called(header)


def test_a_file_of_customers_is_referred_to(tmp_path: Path) -> None:
    headers = ["Order ID", "Customer ID", "Date", "Total"]
    files = [
        write(tmp_path, "products", ["sku", "price"], [["a", 1], ["b", 2]]),
        write(tmp_path, "orders", [*headers, *MORE], orders()),
        write(
            tmp_path,
            "customers",
            ["id", "Signup Date", "Sex", "City"],
            [[one, f"2023-05-{one + 1:02}", "f", "Paris"] for one in range(12)],
        ),
    ]
    found = guess_files([profile_file(one) for one in files])
    assert [one.role for one in found] == ["orders", "customers", ""]
    mapping = mapped(found)
    assert mapping.table("orders").references == {"customer_id": "customers"}
    [customers, _] = mapping.relations
    assert customers.table == "customers"
    assert customers.columns == {
        "customer_id": "id",
        "joined_at": "signup_date",
        "gender": "sex",
        "city": "city",
    }
    assert len(scaffold("shop", found).splitlines()) <= 60


def test_what_is_not_sure_is_a_question(tmp_path: Path) -> None:
    headers = ["Order ID", "Customer ID", "Date", "Total"]
    rows = orders(status="paid")
    rows[0][4], rows[1][4] = "Refunded", "blue"
    for row in rows:
        row[7] = "EUR"
    rows[2][7] = "USD"
    more = ["Status", "Country", "Net Amount", "Currency"]
    path = write(tmp_path, "orders", [*headers, *more], rows)
    text = scaffold("shop", guess_files([profile_file(path)]))
    assert "# ? other columns may be the amount as well" in text
    assert "# ? unknown words, taken for neither: blue" in text
    assert "# ? rows in USD are rejected; which currency is the shop's?" in text
    assert 'return: ["refunded"]' in text
    assert 'neither: ["blue"]' in text
    assert "currency: {column: currency, is: EUR}" in text


@pytest.mark.parametrize(
    ("headers", "rows", "said"),
    [
        (["sku", "price"], [["a", 1]], "lacks order_id, customer_id, order_date"),
        (
            ["order_id", "customer_id", "date", "total"],
            [[1, 2, "soon", 3]],
            "lacks order_date",
        ),
        (
            ["order_id", "customer_id", "date", "total"],
            [[1, 2, "2024-01-01", 3], [1, 2, "2024-01-01", 4]],
            "has several rows for a order_id, so its rows are lines",
        ),
        (["order_id", "customer_id", "date"], [], "has no rows below its header"),
    ],
)
def test_files_without_orders_are_refused(
    headers: list[str], rows: Rows, said: str, tmp_path: Path
) -> None:
    path = write(tmp_path, "files", headers, rows)
    with pytest.raises(InputError, match=said):
        guess_files([profile_file(path)])


def test_nothing_is_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, "orders", [*EXPORTS["invoices"][0], *MORE], orders())

    def run(name: str, file: Path = path) -> str:
        ended = CliRunner().invoke(cli, ["new-source", name, str(file)])
        return str(ended.exception or ended.output)

    assert "has no dbt_project.yml; run this in the folder" in run("shop")
    (tmp_path / "dbt_project.yml").touch()
    (tmp_path / "source_systems").mkdir()
    assert "Web Shop cannot name a schema; call it web_shop" in run("Web Shop")
    assert "there is no such file" in run("shop", tmp_path / "none.csv")
    assert "InvoiceNo is the order_id" in run("shop")
    written = (tmp_path / "source_systems/shop.yml").read_text()
    assert "shop.yml is there; change it, or remove it first" in run("shop")
    assert (tmp_path / "source_systems/shop.yml").read_text() == written
