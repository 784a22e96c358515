"""Files of audiences and segments hold what was asked for, and nothing else."""

import csv
import stat
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from customer_segmentation.cli import cli
from customer_segmentation.errors import InputError
from customer_segmentation.serving.export import export_campaign, export_segment


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "marts.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("""
            create table campaign_plans as select * from (values
                ('spring', 'planned'), ('autumn', 'suppressed'))
                as t (campaign, status);
            create table campaign_audiences as select * from (values
                ('spring', 'shop:7', '7', 'reward', 'email', '=1+1', 2, false),
                ('spring', 'shop:-8', '-8', 'reward', 'email', null, 1, false),
                ('spring', 'shop:9', '9', 'reward', 'email', 'Ok', 3, true))
                as t (campaign, customer_key, customer_id, action, channel, offer,
                    priority, is_control);
            create table customers as select * from (values
                ('shop:7', 'shop', '7', -5), ('shop:9', 'shop', '9', 6),
                ('shop:10', 'shop', '10', 8), ('card:7', 'card', '7', 40))
                as t (customer_key, source_system, customer_id, age);
            create table customer_rfm as select * from (values
                ('shop:7', 'Can''t Lose Them'), ('shop:9', 'Lost'),
                ('shop:10', 'Lost'), ('card:7', 'Lost'))
                as t (customer_key, rfm_segment);
            create table customer_segments as select * from (values
                ('shop:7', 'value', 1, 'Big'), ('shop:9', 'value', 2, '<b>"@"</b>'),
                ('shop:10', 'value', 2, '<b>"@"</b>'))
                as t (customer_key, segmentation, segment_id, segment_name);
        """)
    return path


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_an_audience_leaves_out_who_is_held_out(published: Path) -> None:
    output = published.parent / "spring.csv"
    assert export_campaign(published, "spring", output) == 2
    assert rows_of(output) == [
        ["customer_id", "action", "channel", "offer", "priority"],
        ["'-8", "reward", "email", "", "1"],
        ["7", "reward", "email", "'=1+1", "2"],
    ]
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_the_hold_out_is_written_when_asked_for_and_marked(published: Path) -> None:
    output = published.parent / "spring.parquet"
    wanted = ["priority", "offer"]
    export_campaign(published, "spring", output, columns=wanted, holdout=True)
    assert pq.read_table(output).to_pydict() == {
        "priority": [1, 2, 3],
        # Parquet is not opened by spreadsheets
        "offer": [None, "=1+1", "Ok"],
        "is_control": [False, False, True],
    }


@pytest.mark.parametrize(
    "name",
    [
        *("<script>1</script>", "\u202e\u05e9\u05dc\u05dd", "🙂", 'a"b,c\nd'),
        *("x" * 300, "a'; --"),
    ],
)
def test_odd_names_stay_as_they_are(published: Path, name: str) -> None:
    with duckdb.connect(published) as connection:
        connection.execute("update campaign_audiences set campaign = ?", [name])
        connection.execute(
            "update campaign_plans set campaign = ? where status = 'planned'", [name]
        )
    output = published.parent / "spring.csv"
    export_campaign(published, name, output, columns=["campaign"])
    assert rows_of(output) == [["campaign"], [name], [name]]


@pytest.mark.parametrize(
    "text",
    [
        *("=1", "+1", "-1", "@a", "\ta", "\ra", "\n=1", '=cmd|"x"', "=1\n2"),
        # full-width signs, which spreadsheets read as the others
        *("\uff1d1", "\uff0b1", "\uff0d1", "\uff20a"),
    ],
)
def test_no_text_is_a_formula(published: Path, text: str) -> None:
    with duckdb.connect(published) as connection:
        connection.execute("update campaign_audiences set offer = ?", [text])
    output = published.parent / "spring.csv"
    export_campaign(published, "spring", output, columns=["offer", "priority"])
    assert rows_of(output)[1:] == [["'" + text, "1"], ["'" + text, "2"]]


@pytest.mark.parametrize(
    ("segmentation", "segment", "expected"),
    [
        ("rfm", "Can't Lose Them", ["7", "-5"]),
        ("value", "Big", ["7", "-5"]),
        ("value", "2", ["10", "8"]),
    ],
)
def test_a_segment_is_found_by_name_and_number(
    published: Path, segmentation: str, segment: str, expected: list[str]
) -> None:
    output = published.parent / "segment.csv"
    wanted = ["customer_id", "age"]
    export_segment(published, segmentation, segment, output, columns=wanted)
    assert rows_of(output) == [wanted, expected]


def test_a_segment_of_several_shops_is_that_of_the_shop_that_is_named(
    published: Path,
) -> None:
    output = published.parent / "lost.csv"
    with pytest.raises(InputError, match="name one of card, shop with --source-system"):
        export_segment(published, "rfm", "Lost", output)
    assert not output.exists()
    for shop, customer in (("card", "7"), ("shop", "10")):
        export_segment(published, "rfm", "Lost", output, source_system=shop)
        assert rows_of(output) == [
            ["customer_id", "source_system", "segment_name"],
            [customer, shop, "Lost"],
        ]


def test_a_segment_leaves_out_who_is_held_out_of_a_campaign(published: Path) -> None:
    output = published.parent / "segment.parquet"
    assert export_segment(published, "value", "2", output) == 1
    assert pq.read_table(output)["customer_id"].to_pylist() == ["10"]
    wanted = ["customer_id"]
    export_segment(published, "value", "2", output, columns=wanted, holdout=True)
    assert pq.read_table(output).to_pydict() == {
        "customer_id": ["10", "9"],
        "is_control": [False, True],
    }


def test_a_segment_without_campaigns_is_whole(published: Path) -> None:
    with duckdb.connect(published) as connection:
        connection.execute("drop table campaign_audiences")
    output = published.parent / "segment.csv"
    assert export_segment(published, "value", "2", output) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.csv", "--campaign", "summer"], "no campaign 'summer'; the campaigns are"),
        (["a.csv", "--campaign", "autumn"], "no audience: its status"),
        (["a.xlsx", "--campaign", "spring"], "must end in .csv or .parquet"),
        (
            ["a.csv", "--campaign", "spring", "--columns", "offer,1; drop"],
            "unknown column '1; drop'; the columns are",
        ),
        (["no/a.csv", "--campaign", "spring"], "cannot be written"),
        (["a.csv"], "name either --campaign"),
        (["a.csv", "--segmentation", "rfm", "--segment", "Best"], "no segment 'Best'"),
        (["a.csv", "--segmentation", "rf", "--segment", "Lost"], "no segmentation"),
        (
            ["a.csv", "--segmentation", "rfm", "--segment", "Lost"],
            "'Lost' spans several source systems: name one of card, shop with",
        ),
        (
            [
                *("a.csv", "--segmentation", "rfm", "--segment", "Lost"),
                *("--source-system", "kiosk"),
            ],
            "no customers of 'kiosk'; its source systems are card, shop",
        ),
        (
            ["a.csv", "--campaign", "spring", "--source-system", "shop"],
            "--source-system is for segments",
        ),
    ],
)
def test_a_mistake_is_one_clear_error(
    published: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.setenv("CUSTOMER_SEGMENTATION_PUBLISHED", str(published))
    monkeypatch.chdir(published.parent)
    result = CliRunner().invoke(cli, ["export", *arguments])
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
    assert [path.name for path in published.parent.iterdir()] == [published.name]


def test_an_audience_that_cannot_be_written_leaves_the_last_one(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = published.parent / "spring.csv"
    output.write_text("last", "utf-8")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(InputError, match="No space left on device"):
        export_campaign(published, "spring", output)
    assert output.read_text("utf-8") == "last"
    assert sorted(path.name for path in published.parent.iterdir()) == [
        published.name,
        output.name,
    ]


def test_files_that_hold_no_audiences_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file; run"):
        export_campaign(tmp_path / "no.duckdb", "spring", tmp_path / "a.csv")
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_text("no database at all", "utf-8")
    with pytest.raises(InputError, match="is no database that DuckDB can read"):
        export_campaign(damaged, "spring", tmp_path / "a.csv")
    old = tmp_path / "old.duckdb"
    duckdb.connect(old).close()
    with pytest.raises(InputError, match="an older version published it"):
        export_campaign(old, "spring", tmp_path / "a.csv")
    with pytest.raises(InputError, match="an older version published it"):
        export_segment(old, "rfm", "Lost", tmp_path / "a.csv")
