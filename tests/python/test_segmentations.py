"""Segmentations of the sample and of real data, through whole builds."""

import shutil
from collections.abc import Callable, Mapping

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Sample
from dbt_project import (
    DECLARED,
    PREDICTIONS,
    QUICK_SEARCH,
    WITHOUT_TESTS,
    Warehouse,
    differences,
    read_csv,
)
from sklearn.metrics import adjusted_rand_score

FITS = {"main_intermediate.int_segmentation__fits": "select * from {}"}
SCORING = ("--exclude", "tag:train", *WITHOUT_TESTS[1:])


def choice(warehouse: Warehouse, segmentation: str) -> dict[str, object]:
    """Return the row of ``cluster_choices``."""
    with warehouse.connected() as connection:
        chosen = connection.execute(
            "from cluster_choices where segmentation = $1", [segmentation]
        ).to_arrow_table()
    [row] = chosen.to_pylist()
    return row


def segments(warehouse: Warehouse, segmentation: str) -> dict[str, int | None]:
    """Return the segment of each customer by key."""
    return dict(
        warehouse.rows(
            "select customer_key, segment_id from customer_segments"
            f" where segmentation = '{segmentation}'"
        )
    )


def agreement(left: Mapping[str, int], right: Mapping[str, int]) -> float:
    """Return the adjusted Rand index of customers whom both know."""
    both = sorted(left.keys() & right.keys())
    assert both
    # who is left out is a segment here, too
    labels = [
        [-1 if one[key] is None else one[key] for key in both] for one in (left, right)
    ]
    return adjusted_rand_score(*labels)


def pinned(segmentation: str, algorithm: str, k: int) -> dict[str, object]:
    """Return vars that declare one segmentation, which need not be searched for."""
    declared = {
        **DECLARED[segmentation],
        "algorithms": [algorithm],
        "k": [k, k],
        "pin": {"algorithm": algorithm, "k": k},
    }
    return {
        "source_systems": [declared["source_system"]],
        **QUICK_SEARCH,
        "segmentations": {segmentation: declared},
        "prediction": QUICK_SEARCH["prediction"] | {"segment_targets": ["rfm"]},
    }


def landed_anew(
    warehouse: Warehouse,
    name: str,
    source_system: str,
    change: Callable[[str, pa.Table], pa.Table],
) -> Warehouse:
    """Return a warehouse with the raw tables of a source system changed."""
    other = warehouse.beside(name, same_landing=False)
    for folder in (warehouse.landing / source_system).iterdir():
        changed = other.landing / source_system / folder.name
        changed.mkdir(parents=True)
        pq.write_table(
            change(folder.name, pq.read_table(folder)), changed / "part-00000.parquet"
        )
    return other


def test_mall_has_the_five_groups_everyone_finds(real: Warehouse) -> None:
    chosen = choice(real, "mall_income_score")
    assert (chosen["algorithm"], chosen["n_clusters"]) == ("kmeans", 5)
    assert chosen["silhouette"] == pytest.approx(0.554, abs=0.001)
    assert chosen["verdict"] == "strong"
    sizes = real.rows(
        "select customers from segments where segmentation = 'mall_income_score'"
        " order by segment_id"
    )
    assert sizes == [(39,), (22,), (81,), (23,), (35,)]


def test_fabricated_coupons_have_no_segments_and_it_is_said(real: Warehouse) -> None:
    assert choice(real, "marketplace_coupons")["verdict"] == "none"
    for table in ("segments", "customer_segments"):
        verdicts = real.rows(
            f"select distinct verdict from {table}"
            " where segmentation = 'marketplace_coupons'"
        )
        assert verdicts == [("none",)]
    name = "assert_every_segmentation_has_structure"
    finished = real.dbt("test", "--select", name)
    assert finished.returncode == 0, finished.stdout
    warned = real.value("select count(*) from cluster_choices where verdict = 'none'")
    assert f"WARN {warned} {name}" in finished.stdout


def test_online_retail_value_comes_back_and_is_of_use(real: Warehouse) -> None:
    chosen = choice(real, "online_retail_value")
    assert chosen["stability_mean"] >= 0.95
    assert chosen["stability_min"] >= 0.90
    assert chosen["smallest_share"] >= 0.05
    assert chosen["n_clusters"] >= 4
    assert chosen["structure_p_value"] <= 0.01


@pytest.mark.parametrize("segmentation", DECLARED)
def test_silhouettes_were_measured_on_the_customers_assigned(
    real: Warehouse, segmentation: str
) -> None:
    chosen = choice(real, segmentation)
    found = list(segments(real, segmentation).values())
    sizes = np.unique([one for one in found if one], return_counts=True)[1]
    assert len(sizes) == chosen["n_clusters"]
    assert found.count(None) == chosen["left_out"]
    assert len(found) == chosen["customers"] + chosen["left_out"]
    smallest = sizes.min() / chosen["customers"]
    assert smallest == pytest.approx(chosen["smallest_share"], abs=1e-9)


@pytest.mark.parametrize("warehouse", ["sample", "real"])
def test_ids_go_by_value_and_say_the_same_everywhere(
    warehouse: str, request: pytest.FixtureRequest
) -> None:
    built: Warehouse = request.getfixturevalue(warehouse)
    for name, declared in DECLARED.items():
        worth = built.rows(
            f"select segment_id, avg({declared['value_feature']})"
            " from customer_segments join customer_features using (customer_key)"
            f" where segmentation = '{name}' and segment_id > 0"
            " group by all order by segment_id"
        )
        ids, means = zip(*worth, strict=True)
        assert ids == tuple(range(1, len(ids) + 1)), name
        assert list(means) == sorted(means, reverse=True), name


def test_planted_groups_of_the_mall_are_found(sample: Sample) -> None:
    five = sample.copied("five_groups")
    five.build(
        *("--select", "int_segmentation__candidates+", *WITHOUT_TESTS, *PREDICTIONS),
        variables=pinned("mall_income_score", "kmeans", 5),
    )
    truth = {
        f"mall:{row['customer_id']}": row["segment"]
        for row in read_csv(sample.truth / "mall_customers.csv")
    }
    numbers = {name: number for number, name in enumerate(sorted(set(truth.values())))}
    planted = {key: numbers[name] + 1 for key, name in truth.items()}
    assert agreement(segments(five, "mall_income_score"), planted) > 0.9


def test_recoded_ids_of_cities_and_genders_change_no_segment(
    real: Warehouse,
) -> None:
    codes = 100 + np.random.default_rng(0).permutation(9_000)

    def recode(table: str, rows: pa.Table) -> pa.Table:
        for column in ("city_id", "gender_id"):
            if column in rows.column_names:
                recoded = [
                    None if one is None else str(codes[int(one)])
                    for one in rows[column].to_pylist()
                ]
                position = rows.column_names.index(column)
                rows = rows.set_column(position, column, [recoded])
        # what is sorted by an id comes in another order
        order = np.random.default_rng(1).permutation(rows.num_rows)
        return rows.take(order) if table in ("cities", "genders") else rows

    chosen = choice(real, "marketplace_coupons")
    recoded = landed_anew(real, "recoded", "marketplace", recode)
    recoded.build(
        *WITHOUT_TESTS,
        variables=pinned(
            "marketplace_coupons", chosen["algorithm"], chosen["n_clusters"]
        ),
    )
    codes_before, codes_after = (
        {
            str(one)
            for one in pq.read_table(landing / "marketplace" / "cities")["city_id"]
        }
        for landing in (real.landing, recoded.landing)
    )
    assert codes_before.isdisjoint(codes_after)
    before = segments(real, "marketplace_coupons")
    after = segments(recoded, "marketplace_coupons")
    assert agreement(before, after) == 1
    assert before == after


def test_scoring_fits_nothing_and_assigns_who_has_come_since(sample: Sample) -> None:
    scored = sample.copied("scored")
    scored.landing.unlink()
    shutil.copytree(sample.landing, scored.landing)
    [part, *_] = sorted((scored.landing / "mall" / "customers").glob("*.parquet"))
    rows = pq.read_table(part)
    twin, *_ = rows.to_pylist()
    newcomer = pa.Table.from_pylist([twin | {"customer_id": "99999"}], rows.schema)
    pq.write_table(pa.concat_tables([rows, newcomer]), part)
    scored.build(*SCORING, variables=QUICK_SEARCH)
    assert not differences(sample, scored, FITS)
    before = segments(sample, "mall_income_score")
    after = segments(scored, "mall_income_score")
    assert after.keys() - before.keys() == {"mall:99999"}
    assert before == {key: after[key] for key in before}
    assert after["mall:99999"] == after[f"mall:{twin['customer_id']}"]


def test_few_more_customers_of_a_real_shop_move_hardly_anyone(real: Warehouse) -> None:
    def thin_out(_: str, rows: pa.Table) -> pa.Table:
        with duckdb.connect() as connection:
            return connection.execute(
                "from rows where customer_id is null"
                " or ('0x' || md5(customer_id)[:8])::ubigint % 100 > 0"
            ).to_arrow_table()

    variables = pinned("online_retail_value", "kmeans", 4)
    grown = landed_anew(real, "grown", "online_retail", thin_out)
    grown.build(*WITHOUT_TESTS, *PREDICTIONS, variables=variables)
    before = segments(grown, "online_retail_value")
    shutil.rmtree(grown.landing)
    grown.landing.symlink_to(real.landing)
    grown.build(*WITHOUT_TESTS, *PREDICTIONS, variables=variables)
    after = segments(grown, "online_retail_value")
    assert 0.005 < len(after) / len(before) - 1 < 0.02
    numbers = "select fit_number from main_intermediate.int_segmentation__fits"
    assert sorted(grown.rows(numbers)) == [(1,), (2,)]
    assert set(before.values()) == set(after.values()) > {1, 2, 3, 4}
    kept = [before[key] == after[key] for key in before]
    assert np.mean(kept) >= 0.99


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"features": [{"name": "age", "transform": "squared"}]},
            "segmentation mall_profile: features.age.transform: ",
        ),
        (
            {"features": [{"name": "agee", "transform": "log"}]},
            "segmentation mall_profile: features.agee: there is no feature 'agee';"
            " did you mean 'age'?",
        ),
    ],
)
def test_wrong_declaration_stops_the_build_with_one_message(
    sample: Sample, changes: dict[str, object], message: str
) -> None:
    wrong = sample.copied(f"wrong_{len(message)}")
    declared = {**DECLARED, "mall_profile": DECLARED["mall_profile"] | changes}
    finished = wrong.dbt(
        *("build", "--select", "int_segmentation__candidates+", *WITHOUT_TESTS),
        variables=QUICK_SEARCH | {"segmentations": declared},
    )
    assert finished.returncode != 0
    # dbt says it where it happens, and again at the end
    assert 1 <= finished.stdout.count(message) <= 2, finished.stdout
    assert not differences(sample, wrong)


def test_empty_build_reaches_no_fit_and_loses_none(sample: Sample) -> None:
    empty = sample.copied("emptied")
    empty.build(
        *("--empty", "--select", "customer_features+", *WITHOUT_TESTS),
        variables=QUICK_SEARCH,
    )
    assert not differences(sample, empty, FITS)
    assert empty.value("from customer_segments select count(*)") == 0
    empty.build(
        *("--select", "customer_features+", *WITHOUT_TESTS), variables=QUICK_SEARCH
    )
    assert not differences(sample, empty)
