"""The campaign of the sample is measured, and planned campaigns have audiences."""

import csv
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt_project import QUICK_SEARCH, VARS, WITHOUT_TESTS, Sample, Warehouse
from macros_of_publishing import ReturnedError, macros

from customer_segmentation.errors import InputError
from customer_segmentation.serving.declare import check_campaigns
from customer_segmentation.serving.export import export_campaign

# of the simulation: lapsed customers gain, active ones do not
CAMPAIGN = "autumn_reminder"
# of the var campaigns: it has an audience in the sample
PLANNED = "retail_win_back"
SIDES = "main_private.int_serving__sides"
# from the landed messages to the results, without what is learned of uplift
MEASURED = (
    *("--select", "stg_campaigns__sends+", "int_serving__sides", "--exclude"),
    *("rejected_records", "int_serving__uplift_customers+", *WITHOUT_TESTS[1:]),
)
INTERVAL_ERRORS = 3.92


def row_of(warehouse: Warehouse, table: str, **where: str) -> dict[str, Any]:
    conditions = " and ".join(f"{name} = '{text}'" for name, text in where.items())
    with warehouse.connected() as connection:
        found = connection.execute(f"select * from {table} where {conditions}")
        names = [column[0] for column in found.description]
        [row] = found.fetchall()
    return dict(zip(names, row, strict=True))


def planted_effects(sample: Sample) -> dict[str, tuple[int, float]]:
    """Return the customers of each group, and the true effect on a purchase."""
    with (sample.truth / "campaigns.csv").open(encoding="utf-8") as file:
        return {
            row["group"]: (int(row["customers"]), float(row["effect"]))
            for row in csv.DictReader(file)
        }


def test_the_effect_is_close_to_the_planted_one(sample: Sample) -> None:
    groups = planted_effects(sample).values()
    truth = sum(size * effect for size, effect in groups) / sum(n for n, _ in groups)
    row = row_of(sample, "campaign_results", campaign=CAMPAIGN, measure="purchase_rate")
    error = (row["incremental_high"] - row["incremental_low"]) / INTERVAL_ERRORS
    assert abs(row["incremental"] - truth) < 3 * error
    # far enough from 0 to be found
    assert truth > 3 * error
    assert (row["verdict"], row["reason"]) == ("more", None)
    assert row["imbalance"] < 4
    customers = row["treated_customers"] + row["control_customers"]
    assert row["total_incremental"] == pytest.approx(
        row["incremental"] * row["treated_customers"]
    )
    # each customer of the campaign is on one side, and none of them is unknown
    assert customers == sum(size for size, _ in groups)
    assert row["unknown_customers"] == 0


def test_those_who_gain_are_ranked_first(sample: Sample) -> None:
    row = row_of(sample, "campaign_uplift", campaign=CAMPAIGN)
    # half of its customers are learned from here, too few for an interval without 0
    assert row["uplift_qini"] > max(row["value_qini"], 0)
    assert row["uplift_qini_low"] < row["uplift_qini"] < row["uplift_qini_high"]
    [(first, last)] = sample.rows(
        "select avg(expected_uplift) filter (where uplift_tenth <= 3),"
        " avg(expected_uplift) filter (where uplift_tenth > 7) from customer_uplift"
        f" where campaign = '{CAMPAIGN}'"
    )
    _, gained = planted_effects(sample)["lapsed"]
    assert last < gained / 2 < first
    curve = sample.rows(
        "select uplift_gain, value_gain, random_gain from campaign_uplift_tenths"
        f" where campaign = '{CAMPAIGN}' order by tenth"
    )
    # whoever writes to everybody gains the same in any order
    assert curve[-1][0] == pytest.approx(curve[-1][1])
    assert curve[-1][0] == pytest.approx(curve[-1][2])


def test_no_audience_is_made_of_segments_that_do_not_exist(sample: Sample) -> None:
    # too few null draws, so no segmentation can have another verdict
    plan = row_of(sample, "campaign_plans", campaign="retail_reward")
    assert (plan["verdict"], plan["status"]) == ("none", "suppressed")
    assert plan["customers"] == 0


def test_an_audience_is_exported_without_its_hold_out(
    sample: Sample, tmp_path: Path
) -> None:
    plan = row_of(sample, "campaign_plans", campaign=PLANNED)
    assert plan["status"] == "planned"
    assert plan["control_customers"] == pytest.approx(0.1 * plan["customers"], abs=1)
    output = tmp_path / "audience.csv"
    written = export_campaign(sample.published, PLANNED, output)
    assert written == plan["treated_customers"]
    with output.open(encoding="utf-8") as file:
        exported = {row["customer_id"] for row in csv.DictReader(file)}
    held_out = sample.rows(
        "select customer_id from campaign_audiences"
        f" where campaign = '{PLANNED}' and is_control"
    )
    assert len(exported) == written
    assert exported.isdisjoint(customer for (customer,) in held_out)


def test_a_planned_campaign_is_measured_once_it_was_sent(
    sample: Sample, rebuilt: Warehouse, tmp_path: Path
) -> None:
    plan = row_of(sample, "campaign_plans", campaign=PLANNED)
    source_system = plan["source_system"]
    audience = tmp_path / "audience.csv"
    export_campaign(sample.published, PLANNED, audience, columns=["customer_id"])
    last_day = rebuilt.value(
        "select as_of_date - 1 from source_systems"
        f" where source_system = '{source_system}'"
    )
    sent = tmp_path / "sends.csv"
    with audience.open(encoding="utf-8") as read, sent.open("w") as write:
        write.write("campaign,source_system,customer_id,sent_at\n")
        for row in csv.DictReader(read):
            write.write(f"{PLANNED},{source_system},{row['customer_id']},{last_day}\n")
    rebuilt.landing.unlink()
    shutil.copytree(sample.landing, rebuilt.landing, symlinks=True)
    rebuilt.land("campaigns", sent)
    with duckdb.connect(rebuilt.database) as connection:
        # as if drawn by an earlier build, so that a new draw would be seen
        connection.execute(
            f"update {SIDES} set as_of_date = as_of_date - 30,"
            " assigned_date = assigned_date - 30, is_control = not is_control"
            f" where campaign <> '{PLANNED}'"
        )
    drawn = rebuilt.rows(f"select * from {SIDES}")
    rebuilt.build(*MEASURED, "--full-refresh", variables=QUICK_SEARCH)
    for measure in ("spend", "purchase_rate"):
        row = row_of(rebuilt, "campaign_results", campaign=PLANNED, measure=measure)
        assert row["holdout"] == "assigned"
        assert row["treated_customers"] == plan["treated_customers"] > 0
        assert row["control_customers"] == plan["control_customers"] > 0
        assert row["reached_customers"] == plan["treated_customers"]
        assert row["reached_control_customers"] == 0
        assert (row["verdict"], row["reason"]) == ("cannot tell", "window_open")
    recorded = rebuilt.rows(f"select * from {SIDES}")
    # those of the other campaigns are carried on to today
    carried_on = [row for row in drawn if row[0] != PLANNED]
    assert carried_on
    assert set(recorded) > set(drawn)
    assert len(recorded) == len(drawn) + len(carried_on)
    sides = "select distinct campaign, customer_key, assigned_date, is_control"
    assert rebuilt.value(f"select count(*) from ({sides} from {SIDES})") == len(drawn)


def test_every_segment_of_the_sample_has_a_hypothesis(sample: Sample) -> None:
    [(segments, plays, hypotheses)] = sample.rows(
        "select count(*), count(play), count(*) filter (where is_hypothesis)"
        " from segment_actions"
    )
    assert segments == plays == hypotheses > 20


def declared(**changed: object) -> list[dict[str, str]]:
    """Return the campaigns that the macro finds in changed vars."""
    rendered = macros(
        files=("campaigns.sql",),
        var=(VARS | changed).__getitem__,
        source_systems=lambda: (VARS | changed)["source_systems"],
    )
    with pytest.raises(ReturnedError) as returned:
        rendered.declared_campaigns()
    return returned.value.args[0]


def test_campaigns_are_those_of_the_source_systems() -> None:
    assert [one["name"] for one in declared()] == list(VARS["campaigns"])
    assert declared(source_systems=["mall"], segmentations={}) == []
    assert declared(campaigns=None) == []
    check_campaigns(VARS | {"campaigns": None})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"campaigns": ["spring"]}, "must be a mapping"),
        ({"campaigns": {"Spring!": {}}}, "campaign Spring! .* needs another name"),
        ({"campaigns": {"spring": {"action": "reward"}}}, "needs the keys"),
        ({"segmentations": {}}, "segmentation online_retail_value, which is not"),
    ],
)
def test_a_wrong_declaration_is_one_clear_error(
    changed: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        check_campaigns(VARS | changed)
