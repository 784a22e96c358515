"""Segmentations of the sample and of real data, through whole builds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dbt_project import (
    DECLARED,
    NEWCOMER,
    QUICK_SEARCH,
    WITHOUT_TESTS,
    Sample,
    Scored,
    Warehouse,
    differences,
    read_csv,
)
from sklearn.metrics import adjusted_rand_score

FITS = {"main_training.int_segmentation__fits": "select * from {}"}
SEGMENTED = ("--select", "+customer_segments", *WITHOUT_TESTS)


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
    # the excluded customers count as a segment
    labels = [
        [-1 if one[key] is None else one[key] for key in both] for one in (left, right)
    ]
    return adjusted_rand_score(*labels)


def pinned(**candidates: tuple[str, int]) -> dict[str, object]:
    """Return vars that declare segmentations which need not be searched for."""
    return QUICK_SEARCH | {
        "source_systems": [DECLARED[name]["source_system"] for name in candidates],
        "segmentations": {
            segmentation: DECLARED[segmentation]
            | {
                "algorithms": [algorithm],
                "k": [k, k],
                "pin": {"algorithm": algorithm, "k": k},
            }
            for segmentation, (algorithm, k) in candidates.items()
        },
        "prediction_segment_targets": ["rfm"],
        "campaigns": {},
    }


def land_anew(
    warehouse: Warehouse,
    other: Warehouse,
    source_system: str,
    change: Callable[[str, pa.Table], pa.Table],
) -> None:
    """Land the raw tables of a source system in another warehouse, changed."""
    for folder in (warehouse.landing / source_system).iterdir():
        changed = other.landing / source_system / folder.name
        changed.mkdir(parents=True)
        pq.write_table(
            change(folder.name, pq.read_table(folder)), changed / "part-00000.parquet"
        )


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
    warned = real.value("select count(*) from cluster_choices where verdict = 'none'")
    message = f"WARN {warned} assert_every_segmentation_has_structure"
    assert message in real.messages.read_text(encoding="utf-8")


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
    assert found.count(None) == chosen["excluded_customers"]
    assert len(found) == chosen["customers"] + chosen["excluded_customers"]
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
    truth = {
        f"mall:{row['customer_id']}": row["segment"]
        for row in read_csv(sample.truth / "mall_customers.csv")
    }
    numbers = {name: number for number, name in enumerate(sorted(set(truth.values())))}
    planted = {key: numbers[name] + 1 for key, name in truth.items()}
    chosen = choice(sample, "mall_income_score")
    # which the vars of the sample say
    assert (chosen["algorithm"], chosen["n_clusters"]) == ("kmeans", 5)
    assert chosen["is_pinned"]
    assert agreement(segments(sample, "mall_income_score"), planted) > 0.9


CODES = 100 + np.random.default_rng(0).permutation(9_000)


def recode(table: str, rows: pa.Table) -> pa.Table:
    """Give other ids to cities and genders."""
    for column in ("city_id", "gender_id"):
        if column in rows.column_names:
            recoded = [
                None if one is None else str(CODES[int(one)])
                for one in rows[column].to_pylist()
            ]
            position = rows.column_names.index(column)
            rows = rows.set_column(position, column, [recoded])
    # what is sorted by an id comes in another order
    order = np.random.default_rng(1).permutation(rows.num_rows)
    return rows.take(order) if table in ("cities", "genders") else rows


def thin_out(_: str, rows: pa.Table) -> pa.Table:
    """Leave out one customer in a hundred."""
    with duckdb.connect() as connection:
        return connection.execute(
            "from rows where customer_id is null"
            " or ('0x' || md5(customer_id)[:8])::ubigint % 100 > 0"
        ).to_arrow_table()


@dataclass(frozen=True)
class Changed:
    """Real shops with other raw files; whoever looks first finds them built.

    Parameters
    ----------
    warehouse : Warehouse
        The coupons with other ids, and Online Retail without one customer in a hundred.
    variables : dict
        Declare one segmentation of each, as the real data have it.
    """

    warehouse: Warehouse
    variables: dict[str, object]


@pytest.fixture(scope="module")
def changed(real: Warehouse) -> Changed:
    coupons = choice(real, "marketplace_coupons")
    variables = pinned(
        marketplace_coupons=(coupons["algorithm"], coupons["n_clusters"]),
        online_retail_value=("kmeans", 4),
    )
    warehouse = real.beside("changed", same_landing=False)
    land_anew(real, warehouse, "marketplace", recode)
    land_anew(real, warehouse, "online_retail", thin_out)
    warehouse.build(*SEGMENTED, variables=variables)
    return Changed(warehouse, variables)


def test_recoded_ids_of_cities_and_genders_change_no_segment(
    real: Warehouse, changed: Changed
) -> None:
    recoded = changed.warehouse
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


def test_scoring_fits_nothing_and_assigns_who_has_come_since(
    sample: Sample, scored: Scored
) -> None:
    assert not differences(sample, scored, FITS)
    before = segments(sample, "mall_income_score")
    after = segments(scored, "mall_income_score")
    assert after.keys() - before.keys() == {f"mall:{NEWCOMER}"}
    assert before == {key: after[key] for key in before}
    assert after[f"mall:{NEWCOMER}"] == after[f"mall:{scored.twin}"]


def test_few_more_customers_of_a_real_shop_move_hardly_anyone(
    real: Warehouse, changed: Changed
) -> None:
    grown = changed.warehouse.copied("grown")
    before = segments(grown, "online_retail_value")
    grown.landing.unlink()
    grown.landing.symlink_to(real.landing)
    grown.build(*SEGMENTED, variables=changed.variables)
    after = segments(grown, "online_retail_value")
    assert 0.005 < len(after) / len(before) - 1 < 0.02
    numbers = (
        "select fit_number from main_training.int_segmentation__fits"
        " where segmentation = 'online_retail_value'"
    )
    assert sorted(grown.rows(numbers)) == [(1,), (2,)]
    assert set(before.values()) == set(after.values()) > {1, 2, 3, 4}
    kept = [before[key] == after[key] for key in before]
    assert np.mean(kept) >= 0.99


def test_wrong_declaration_stops_the_build_with_one_message(sample: Sample) -> None:
    wrong = sample.copied("wrong")
    age = {"features": [{"name": "agee", "transform": "log"}]}
    declared = {**DECLARED, "mall_profile": DECLARED["mall_profile"] | age}
    finished = wrong.dbt(
        *("build", "--select", "int_segmentation__candidates+", *WITHOUT_TESTS),
        variables=QUICK_SEARCH | {"segmentations": declared},
    )
    assert finished.returncode != 0
    message = (
        "segmentation mall_profile: features.agee: there is no feature 'agee';"
        " did you mean 'age'?"
    )
    # dbt says it where it happens, and again at the end
    assert 1 <= finished.stdout.count(message) <= 2, finished.stdout
    assert not differences(sample, wrong)
