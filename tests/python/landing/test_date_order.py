"""The dates of a file are all day first or month first, and its values say which."""

import re

import pytest
from click.testing import CliRunner
from raw_files import (
    LINE_HEADER,
    as_csv,
    land,
    landed,
    write,
    write_marketplace,
    write_workbook,
)

from customer_segmentation.cli import cli
from customer_segmentation.errors import InputError
from customer_segmentation.raw_tables import (
    CAMPAIGNS,
    LANDED_BY_NAME,
    MARKETPLACE,
    ONLINE_RETAIL,
)


def lines_of(*dates):
    rows = [[n, n, "d", 1, date, 2.5, 7, "UK"] for n, date in enumerate(dates)]
    return [LINE_HEADER, *rows]


def landed_dates(zone):
    return [row[4] for row in landed(zone, "online_retail/invoice_lines")]


def land_dates(tmp_path, zone, *dates, order=None):
    path = write(tmp_path / "lines.csv", as_csv(lines_of(*dates)))
    land(ONLINE_RETAIL, zone, path, dates=order)
    return landed_dates(zone)


@pytest.mark.parametrize(
    ("decisive", "ambiguous", "as_iso"),
    [
        ("13/12/2010 8:26", "1/12/2010", "2010-12-01 00:00:00"),
        ("12/13/2010 8:26:00", "1/12/2010", "2010-01-12 00:00:00"),
        ("13.12.2010", "01.12.2010 08:26:59", "2010-12-01 08:26:59"),
        ("12-13-2010", "01-12-2010 23:59", "2010-01-12 23:59:00"),
    ],
)
def test_one_value_tells_the_order_of_all(
    decisive, ambiguous, as_iso, tmp_path, zone, capsys
):
    found = land_dates(tmp_path, zone, ambiguous, f" {ambiguous} ", decisive)
    assert found[:2] == [as_iso, as_iso]
    assert found[2].startswith("2010-12-13 0")
    order = "day first" if as_iso > "2010-06" else "month first"
    assert f"lines.csv: dates are read {order}" in capsys.readouterr().err


def test_all_other_texts_land_as_written(tmp_path, zone, capsys):
    texts = ["2010-12-01 08:26:00", "soon", " 2010-12-01", "1/2/10 8:26", "2010/1/2"]
    assert land_dates(tmp_path, zone, *texts) == texts
    assert "dates are read" not in capsys.readouterr().err
    # of those whose year comes last, the ones that do not exist
    texts = ["31/11/2010", "13/13/2010", "13/12/2010 25:00"]
    assert land_dates(tmp_path, zone, *texts) == texts


def test_dates_that_no_value_decides_are_an_error(tmp_path, zone):
    with pytest.raises(InputError) as raised:
        land_dates(tmp_path, zone, "2/1/2010", "12/1/2010 8:26", "5/5/2010")
    assert str(raised.value) == (
        f"{tmp_path}/lines.csv: 2 dates such as '12/1/2010 8:26' can be day first or "
        "month first, and no value tells; say which they are with --dates day-first or "
        "--dates month-first"
    )
    assert not (zone / "online_retail").exists()
    given = {
        "day-first": ["2010-01-02 00:00:00", "2010-01-12 08:26:00"],
        "month-first": ["2010-02-01 00:00:00", "2010-12-01 08:26:00"],
    }
    for order, dates in given.items():
        found = land_dates(tmp_path, zone, "2/1/2010", "12/1/2010 8:26", order=order)
        assert found == dates
    # the order of these makes no difference
    assert land_dates(tmp_path, zone, "5/5/2010") == ["2010-05-05 00:00:00"]


def test_dates_that_contradict_each_other_are_an_error(tmp_path, zone, capsys):
    dates = ["13/12/2010", "1/12/2010", "1/31/2010", "14/12/2010"]
    with pytest.raises(InputError, match=re.escape("2 day first ('13/12/2010') and 1")):
        land_dates(tmp_path, zone, *dates)
    found = land_dates(tmp_path, zone, *dates, order="day-first")
    # what staging rejects
    assert found[1:3] == ["2010-12-01 00:00:00", "1/31/2010"]
    said = capsys.readouterr().err
    assert "1 such as '1/31/2010' do not exist in this order" in said


def test_each_file_has_its_own_order(tmp_path, zone):
    one = write(tmp_path / "one.csv", as_csv(lines_of("13/12/2010", "1/2/2010")))
    rows = [[f"b{row[0]}", *row[1:]] for row in lines_of("12/13/2010", "1/2/2010")[1:]]
    two = write(tmp_path / "two.csv", as_csv([LINE_HEADER, *rows]))
    land(ONLINE_RETAIL, zone, one)
    land(ONLINE_RETAIL, zone, two, append=True)
    days = [date[:10] for date in landed_dates(zone)]
    assert days == ["2010-12-13", "2010-02-01", "2010-12-13", "2010-01-02"]


def test_all_date_columns_of_a_file_decide(tmp_path, zone):
    header = "transaction_id,customer_id,transaction_date,transaction_status,"
    header += "coupon_name,burn_date,branch_id\n"
    rows = "1,1,1/2/2024,burned,c,13/2/2024,7\n2,1,3/2/2024,subscribed,d,,7\n"
    land(MARKETPLACE, zone, write_marketplace(tmp_path, transactions=header + rows))
    dates = [(row[2], row[5]) for row in landed(zone, "marketplace/transactions")]
    assert dates == [
        ("2024-02-01 00:00:00", "2024-02-13 00:00:00"),
        ("2024-02-03 00:00:00", None),
    ]


def test_text_in_a_workbook_has_an_order_too(tmp_path, zone):
    rows = lines_of("13/12/2010", "@40513", "1/12/2010")
    land(ONLINE_RETAIL, zone, write_workbook(tmp_path / "b.xlsx", {"lines": rows}))
    days = [date[:10] for date in landed_dates(zone)]
    assert days == ["2010-12-13", "2010-12-01", "2010-12-01"]


def test_the_command_takes_the_order(tmp_path, zone, monkeypatch):
    monkeypatch.setenv("CUSTOMER_SEGMENTATION_LANDING", str(zone))
    path = write(tmp_path / "lines.csv", as_csv(lines_of("2/1/2010")))
    arguments = ["land", "online_retail", str(path), "--dates", "day-first"]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    assert landed_dates(zone) == ["2010-01-02 00:00:00"]


def test_every_column_of_a_date_is_known_as_one():
    dates = {
        (system.name, column.name)
        for system in LANDED_BY_NAME.values()
        for table in system.tables
        for column in table.columns
        if column.is_date
    }
    named = {
        (system.name, column.name)
        for system in LANDED_BY_NAME.values()
        for table in system.tables
        for column in table.columns
        if column.name.endswith(("_date", "_at"))
    }
    assert dates == named
    assert (CAMPAIGNS.name, "sent_at") in dates
