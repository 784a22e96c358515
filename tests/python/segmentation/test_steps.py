"""The Python models on small tables: every odd table has its result, or one error."""

from collections import Counter

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from customer_segmentation.errors import InputError
from customer_segmentation.segmentation import (
    assign_customers,
    expand_prototypes,
    explain_segments,
    fit_segmentations,
    search_segmentations,
)

CATALOG = {"shop": {}, "mall": {}}
SPENT = {"name": "monetary", "transform": "standard"}
RECENCY = {"name": "recency_days", "transform": "standard"}
# (recency, spent), the most valuable first
GROUPS = ((10, 900), (40, 300), (300, 50))


def variables(
    *features: dict, source_systems: tuple[str, ...] = ("shop",), **declared: object
) -> dict:
    """Return the vars that declare one segmentation of the shop."""
    return {
        "segmentations": {
            "who": {
                "source_system": "shop",
                "features": list(features) or [SPENT, RECENCY],
                "algorithms": ["kmeans", "ward", "dbscan"],
                "k": [2, 4],
                **declared,
            }
        },
        "source_systems": list(source_systems),
        "source_system_catalog": CATALOG,
        "segmentation_search": {"resamples": 2, "null_draws": 4},
    }


def customers(count: int = 90, seed: int = 0) -> pd.DataFrame:
    """Return customers of three groups, in turns."""
    rng = np.random.default_rng(seed)
    centres = np.array(GROUPS, dtype=float)[np.arange(count) % len(GROUPS)]
    recency, spent = (centres * rng.lognormal(0, 0.05, (count, 2))).T.round(2)
    return pd.DataFrame(
        {
            "customer_key": [f"shop:{number:05d}" for number in range(count)],
            "source_system": "shop",
            "as_of_date": pd.Timestamp("2024-03-01").date(),
            "recency_days": recency,
            "monetary": spent,
            "city": [("Cairo", "Giza", "Luxor")[i % 3] for i in range(count)],
        }
    ).astype({"customer_key": "str", "source_system": "str", "city": "str"})


class Warehouse:
    """The tables of one build after another, as dbt keeps them."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        self._connection.execute(
            "create table features (customer_key text, source_system text,"
            " as_of_date date, recency_days double, monetary double, city text)"
        )
        self.is_fitted = False

    def relation(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return a table as dbt.ref does."""
        return self._connection.query(f"select * from {name}")

    def frame(self, query: str) -> pd.DataFrame:
        """Return what a query finds."""
        return self._connection.query(query).df()

    def rows(self, query: str) -> list[tuple]:
        """Return what a query finds, null as None and nan as nan."""
        return self._connection.execute(query).fetchall()

    def write(self, name: str, rows: pa.Table | pd.DataFrame) -> None:
        """Replace a table."""
        self._connection.register("written", rows)
        self._connection.execute(f"create or replace table {name} as from written")
        self._connection.unregister("written")

    def fill(self, frame: pd.DataFrame) -> None:
        """Replace the features of all customers."""
        self._connection.execute("delete from features")
        self._connection.register("given", frame)
        self._connection.execute("insert into features by name from given")
        self._connection.unregister("given")

    def build(self, declared: dict) -> None:
        """Search, choose the best silhouette, fit, and assign."""
        features = self.relation("features")
        self.write("candidates", search_segmentations(features, declared))
        self.write(
            "choices",
            self.frame(
                """
                select segmentation, algorithm, setting
                from candidates
                where n_clusters > 1
                qualify row_number() over (
                    partition by segmentation
                    order by is_pinned desc, silhouette desc, algorithm, setting
                ) = 1
                """
            ),
        )
        self.fit(declared)
        self.assign(declared)

    def fit(self, declared: dict) -> None:
        """Fit the choices, beside the fits so far."""
        new = fit_segmentations(
            self.relation("features"),
            self.relation("choices"),
            declared,
            self.relation("fits") if self.is_fitted else None,
        )
        if not self.is_fitted:
            self.write("fits", new.schema.empty_table())
            self.is_fitted = True
        self.write("new", new)
        self._connection.execute("insert into fits from new")

    def assign(self, declared: dict) -> None:
        """Assign and explain; nothing is fitted."""
        features = self.relation("features")
        stream = assign_customers(features, self.relation("fits"), declared)
        self.write("assignments", stream.read_all())
        rules = explain_segments(features, self.relation("assignments"), declared)
        self.write("rules", rules)
        self.write("prototypes", expand_prototypes(self.relation("fits"), None))

    def segments(self) -> pd.Series:
        """Return the segment of each customer, left out ones as NA."""
        found = self.frame(
            "select customer_key, segment_id from assignments order by customer_key"
        )
        return found.set_index("customer_key")["segment_id"].astype("Int64")

    def fit_numbers(self) -> list[int]:
        """Return the numbers of all fits."""
        return self.frame("from fits order by fit_number")["fit_number"].tolist()


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch, one_thread: None) -> None:
    # handing so little to other processes takes longer than doing it
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")


@pytest.fixture
def warehouse() -> Warehouse:
    return Warehouse()


def built(frame: pd.DataFrame, declared: dict) -> Warehouse:
    warehouse = Warehouse()
    warehouse.fill(frame)
    warehouse.build(declared)
    return warehouse


def test_prototypes_of_known_fits_are_not_expanded_again() -> None:
    found = built(customers(), variables())
    fits = found.relation("fits")
    again = expand_prototypes(fits, found.relation("prototypes"))
    assert again.num_rows == 0
    assert expand_prototypes(fits, None).num_rows > 0


def test_groups_are_found_and_numbered_by_value() -> None:
    found = built(customers(), variables(value_feature="monetary"))
    assert found.segments().tolist() == [1, 2, 3] * 30
    [fit] = found.frame("from fits").to_dict("records")
    assert (fit["fit_id"], fit["customers"], fit["n_clusters"]) == ("who:1", 90, 3)
    assert str(fit["as_of_date"])[:10] == "2024-03-01"
    assert set(found.frame("from rules")["segment_id"]) == {1, 2, 3}


def test_shuffled_customers_give_the_same_tables() -> None:
    frame = customers()
    shuffled = frame.sample(frac=1, random_state=1)
    one, other = (built(rows, variables()) for rows in (frame, shuffled))
    for table in ("candidates", "fits", "prototypes", "rules"):
        pd.testing.assert_frame_equal(
            one.frame(f"from {table}"), other.frame(f"from {table}")
        )
    query = "from assignments order by customer_key"
    pd.testing.assert_frame_equal(one.frame(query), other.frame(query))


def test_no_customers_have_no_rows(warehouse: Warehouse) -> None:
    warehouse.build(variables())
    for table in ("candidates", "fits", "prototypes", "assignments", "rules"):
        assert warehouse.frame(f"from {table}").empty, table


def test_only_the_segmentations_source_system_counts() -> None:
    frame = customers()
    others = frame.assign(
        customer_key="mall:" + frame["customer_key"],
        source_system="mall",
        monetary=np.nan,
    )
    both = ("shop", "mall")
    alone = built(frame, variables())
    beside = built(pd.concat([frame, others]), variables(source_systems=both))
    pd.testing.assert_series_equal(alone.segments(), beside.segments())
    off = built(frame, variables(source_systems=("mall",)))
    assert off.frame("from candidates").empty
    assert off.segments().empty


@pytest.mark.parametrize(
    ("frame", "candidates"),
    [
        (customers(1), 0),
        (customers(2), 2),
        (pd.concat([customers(1)] * 50), 0),
        (customers(3), 5),
    ],
    ids=["one", "two", "all equal", "three"],
)
def test_few_unlike_customers_have_few_candidates(
    frame: pd.DataFrame, candidates: int
) -> None:
    keys = [f"shop:{number}" for number in range(len(frame))]
    found = built(frame.assign(customer_key=keys), variables())
    searched = found.frame("from candidates")
    assert len(searched) == 3 + 3 + 5
    assert (searched["n_clusters"] > 1).sum() == min(candidates, 4)
    assert len(found.frame("from fits")) == (candidates > 0)
    assert len(found.segments()) == (len(frame) if candidates else 0)
    collapsed = searched[searched["n_clusters"] < 2]
    assert collapsed["silhouette"].isna().all()


def test_constant_feature_changes_nothing() -> None:
    frame = customers()
    alone = built(frame, variables(SPENT))
    beside = built(frame.assign(recency_days=7.0), variables(SPENT, RECENCY))
    missing = built(
        frame.assign(recency_days=np.nan),
        variables(SPENT, {**RECENCY, "missing": "impute"}),
    )
    pd.testing.assert_series_equal(alone.segments(), beside.segments())
    pd.testing.assert_series_equal(alone.segments(), missing.segments())


def test_who_lacks_a_feature_is_left_out_counted_and_published() -> None:
    frame = customers()
    frame.loc[:9, "recency_days"] = np.nan
    frame.loc[5:12, "monetary"] = np.nan
    found = built(frame, variables())
    assert set(found.frame("from candidates")["left_out"]) == {13}
    assert set(found.frame("from candidates")["customers"]) == {77}
    [fit] = found.frame("from fits").to_dict("records")
    assert (fit["customers"], fit["left_out"]) == (77, 13)
    segments = found.segments()
    assert segments.isna().tolist() == [True] * 13 + [False] * 77
    left_out = found.frame("from assignments where segment_id is null")
    assert left_out[["distance", "confidence", "pca_x", "pca_y"]].isna().all().all()


def test_everyone_left_out_is_a_segmentation_without_rows() -> None:
    found = built(customers().assign(monetary=np.nan), variables())
    assert found.frame("from candidates").empty
    assert found.segments().empty


def test_who_lacks_an_imputed_feature_is_segmented() -> None:
    frame = customers()
    frame.loc[frame.index % 3 == 2, "recency_days"] = np.nan
    found = built(frame, variables(SPENT, {**RECENCY, "missing": "impute"}))
    segments = found.segments()
    assert segments.notna().all()
    assert "recency_days is missing" in set(found.frame("from prototypes")["feature"])
    # they are alike in what they lack
    assert len(set(segments[2::3])) == 1
    assert set(segments[2::3]).isdisjoint(segments[::3])


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_value_is_one_readable_error(value: float) -> None:
    frame = customers()
    frame.loc[17, "recency_days"] = value
    with pytest.raises(InputError, match=r"segmentation who: features\.recency_days"):
        built(frame, variables())


def test_k_beyond_the_distinct_customers_collapses() -> None:
    frame = customers()
    frame[["recency_days", "monetary"]] = np.array(GROUPS)[np.arange(90) % 3]
    found = built(frame, variables(k=[2, 6]))
    clusters = found.frame(
        "select setting, n_clusters from candidates where algorithm <> 'dbscan'"
    )
    assert Counter(map(tuple, clusters.to_numpy().tolist())) == {
        ("k=2", 2): 2,
        ("k=3", 3): 2,
        **{(f"k={k}", 1): 2 for k in (4, 5, 6)},
    }
    assert found.segments().nunique() == 3
    pinned = built(frame, variables(pin={"algorithm": "kmeans", "k": 9}))
    assert pinned.segments().nunique() == 3


def test_thousand_cities_are_the_greatest_and_the_rest() -> None:
    rng = np.random.default_rng(0)
    frame = customers(1_500)
    frame["city"] = [f"city {int(n) % 1_000}" for n in rng.pareto(1, 1_500) * 40]
    onehot = {"name": "city", "transform": "onehot"}
    found = built(frame, variables(SPENT, onehot, algorithms=["kmeans"], k=[2, 3]))
    assert frame["city"].nunique() > 150
    features = set(found.frame("from prototypes")["feature"])
    assert 10 < len(features) <= 1 + 31
    assert found.segments().notna().all()


def test_last_fit_is_kept_as_long_as_nothing_changes(warehouse: Warehouse) -> None:
    warehouse.fill(customers())
    warehouse.build(variables())
    before = warehouse.rows("from fits")
    warehouse.build(variables())
    assert warehouse.rows("from fits") == before
    warehouse.fill(customers(91))
    warehouse.build(variables())
    assert warehouse.fit_numbers() == [1, 2]
    warehouse.build(variables(value_feature="recency_days"))
    assert warehouse.fit_numbers() == [1, 2, 3]


def test_ids_outlive_fits_and_are_not_used_again(warehouse: Warehouse) -> None:
    declared = variables(value_feature="monetary")
    frame = customers()
    warehouse.fill(frame)
    warehouse.build(declared)
    first = warehouse.segments()
    lost = frame.index % 3 == 2
    warehouse.fill(frame[~lost])
    warehouse.build(declared)
    pd.testing.assert_series_equal(warehouse.segments(), first[~lost])
    new = frame.assign(recency_days=frame["recency_days"].mask(lost, 90.0))
    warehouse.fill(new.assign(monetary=new["monetary"].mask(lost, 5_000.0)))
    warehouse.build(declared)
    third = warehouse.segments()
    assert set(third[lost]) == {4}
    # the fits before the last one are remembered as well
    warehouse.fill(frame)
    warehouse.build(declared)
    assert set(warehouse.segments()[lost]) == {5}
    assert warehouse.fit_numbers() == [1, 2, 3, 4]


def test_later_customers_are_assigned_by_the_last_fit(warehouse: Warehouse) -> None:
    warehouse.fill(customers())
    warehouse.build(variables())
    before = warehouse.frame("from fits")
    first = warehouse.segments()
    later = customers(120, seed=5).iloc[90:]
    warehouse.fill(pd.concat([customers(), later]))
    warehouse.assign(variables())
    pd.testing.assert_frame_equal(warehouse.frame("from fits"), before)
    segments = warehouse.segments()
    assert segments.tolist() == first.tolist() + first.tolist()[:30]
    assert set(warehouse.frame("from assignments")["fit_id"]) == {"who:1"}


def test_choice_that_is_older_than_the_declaration_is_one_readable_error(
    warehouse: Warehouse,
) -> None:
    warehouse.fill(customers())
    warehouse.build(variables(pin={"algorithm": "kmeans", "k": 3}))
    message = "segmentation who: kmeans k=3, .*build cluster_choices"
    with pytest.raises(InputError, match=message):
        warehouse.fit(variables(algorithms=["ward"]))


def test_segmentation_that_is_no_longer_declared_is_not_assigned(
    warehouse: Warehouse,
) -> None:
    warehouse.fill(customers())
    warehouse.build(variables())
    renamed = variables()
    renamed["segmentations"] = {"other": renamed["segmentations"]["who"]}
    warehouse.build(renamed)
    assert set(warehouse.frame("from assignments")["segmentation"]) == {"other"}
    assert set(warehouse.frame("from fits")["segmentation"]) == {"who", "other"}


def test_segmentation_without_a_choice_keeps_no_old_segments(
    warehouse: Warehouse,
) -> None:
    warehouse.fill(customers())
    warehouse.build(variables())
    warehouse.fill(customers().iloc[:0])
    warehouse.build(variables())
    assert warehouse.segments().empty
    assert warehouse.fit_numbers() == [1]


@pytest.mark.parametrize("pca", [1, 2, 0.9])
def test_principal_components_go_through_all_tables(pca: float) -> None:
    onehot = {"name": "city", "transform": "onehot", "weight": 0.2}
    found = built(customers(), variables(SPENT, RECENCY, onehot, pca=pca))
    assert found.segments().notna().all()
    prototypes = found.frame("from prototypes")
    assert set(prototypes["feature"]) == {
        *("monetary", "recency_days"),
        *("city=Cairo", "city=Giza", "city=Luxor"),
    }
    assert np.isfinite(prototypes[["position", "value"]]).all().all()


def test_prototypes_of_a_density_method_have_their_reach() -> None:
    frame = customers(300)
    frame.loc[0, ["recency_days", "monetary"]] = [4_000.0, 90_000.0]
    found = built(frame, variables(algorithms=["dbscan"]))
    assert found.segments().iloc[0] == 0
    prototypes = found.frame("from prototypes")
    assert (prototypes["reach"] > 0).all()
    weights = prototypes.drop_duplicates("prototype_number")["weight"]
    assert weights.sum() == 300


def test_pin_wins_and_is_marked() -> None:
    found = built(customers(), variables(pin={"algorithm": "average", "k": 7}))
    pinned = found.frame("from candidates where is_pinned")
    assert pinned[["algorithm", "setting"]].to_numpy().tolist() == [["average", "k=7"]]
    assert found.segments().nunique() == 7


def with_search(**search: object) -> dict:
    return variables() | {"segmentation_search": search}


@pytest.mark.parametrize("step", ["build", "fit", "assign"])
@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (variables(algorithms=["k_means"]), "segmentation who: algorithms: .*kmeans"),
        (variables(k=[5, 2]), r"segmentation who: k: .*\[least, greatest\]"),
        (variables(colour="red"), "segmentation who: .*colour"),
        (variables(source_system="shp"), "segmentation who: source_system: .*shop"),
        (variables({"name": "x"}), r"segmentation who: features\.x\.transform: "),
        (with_search(resample=2), "segmentation_search: .*resamples"),
        (with_search(null_draws=0), "segmentation_search: null_draws: .*at least 1"),
        (with_search(resamples=True), "segmentation_search: resamples: is True"),
    ],
)
def test_wrong_declaration_is_one_readable_error(
    warehouse: Warehouse, step: str, declared: dict, message: str
) -> None:
    warehouse.fill(customers())
    warehouse.build(variables())
    with pytest.raises(InputError, match=message) as error:
        getattr(warehouse, step)(declared)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            variables({"name": "recency_day", "transform": "log"}),
            r"segmentation who: features\.recency_day: .*'recency_days'",
        ),
        (
            variables(value_feature="money"),
            "segmentation who: value_feature: .*'monetary'",
        ),
        (
            variables(value_feature="city"),
            "segmentation who: value_feature: 'city' is no number",
        ),
        (
            variables({"name": "city", "transform": "log"}),
            r"segmentation who: features\.city: ",
        ),
    ],
)
def test_feature_that_cannot_be_used_is_one_readable_error(
    warehouse: Warehouse, declared: dict, message: str
) -> None:
    warehouse.fill(customers())
    with pytest.raises(InputError, match=message):
        warehouse.build(declared)
