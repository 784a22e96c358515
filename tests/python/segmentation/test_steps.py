"""The steps on small tables: every odd table has a defined result, or one error."""

import json
from collections import Counter

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from customer_segmentation.errors import InputError
from customer_segmentation.segmentation import (
    assign_customers,
    assign_frame,
    expand_prototypes,
    explain_segments,
    fit_columns,
    fit_segmentations,
    search_segmentations,
)

pytestmark = pytest.mark.usefixtures("rough_null_data")

CATALOG = {"shop": {}, "mall": {}}
SPENT = {"name": "monetary", "transform": "standard"}
RECENCY = {"name": "recency_days", "transform": "standard"}
CITY = {"name": "city", "transform": "onehot", "weight": 0.2}
# (recency, spent), the most valuable first
GROUPS = ((10, 900), (40, 300), (300, 50))
TABLES = ("candidates", "fits", "prototypes", "assignments", "rules")


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
        "segmentation_resamples": 2,
        "segmentation_null_draws": 1,
        "segmentation_refits": 3,
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
            "is_today": True,
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
            " as_of_date date, is_today boolean, recency_days double, monetary double,"
            " city text)"
        )
        self.is_fitted = False

    def relation(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return a table as dbt.ref does."""
        return self._connection.query(f"select * from {name}")

    def frame(self, query: str) -> pd.DataFrame:
        """Return the result of a query."""
        return self._connection.query(query).df()

    def rows(self, query: str) -> list[tuple]:
        """Return the result of a query, null as None and nan as nan."""
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

    def search(self, declared: dict) -> None:
        """Search, and choose the best silhouette."""
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

    def choose(self, algorithm: str, setting: str, segmentation: str = "who") -> None:
        """Choose a candidate without a search."""
        choice = {
            "segmentation": [segmentation],
            "algorithm": [algorithm],
            "setting": [setting],
        }
        self.write("choices", pd.DataFrame(choice))

    def build(self, declared: dict) -> None:
        """Search, choose, fit, assign and explain."""
        self.search(declared)
        self.fit(declared)
        self.assign(declared)

    def apply(self, declared: dict, *choice: str) -> None:
        """Choose, by default three clusters of k-means; then fit, assign, explain."""
        self.choose(*(choice or ("kmeans", "k=3")))
        self.fit(declared)
        self.assign(declared)

    def fit(self, declared: dict) -> None:
        """Fit the choices, and append to the fits so far."""
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
        """Return the segment of each customer, NA for an excluded customer."""
        found = self.frame(
            "select customer_key, segment_id from assignments order by customer_key"
        )
        return found.set_index("customer_key")["segment_id"].astype("Int64")

    def fit_numbers(self) -> list[int]:
        """Return the numbers of all fits."""
        return self.frame("from fits order by fit_number")["fit_number"].tolist()


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch, one_thread: None) -> None:
    # to start other processes takes longer than these searches
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")


@pytest.fixture
def warehouse() -> Warehouse:
    return Warehouse()


def built(frame: pd.DataFrame, declared: dict) -> Warehouse:
    warehouse = Warehouse()
    warehouse.fill(frame)
    warehouse.build(declared)
    return warehouse


def applied(frame: pd.DataFrame, declared: dict, *choice: str) -> Warehouse:
    warehouse = Warehouse()
    warehouse.fill(frame)
    warehouse.apply(declared, *choice)
    return warehouse


@pytest.fixture(scope="module")
def plain(rough_null_data: None) -> Warehouse:
    """Return a warehouse for tests that change nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOKY_MAX_CPU_COUNT", "1")
        return built(customers(), variables())


def test_groups_are_found_and_numbered_by_value(plain: Warehouse) -> None:
    assert plain.segments().tolist() == [1, 2, 3] * 30
    [fit] = plain.frame("from fits").to_dict("records")
    assert (fit["fit_id"], fit["customers"], fit["n_clusters"]) == ("who:1", 90, 3)
    assert str(fit["as_of_date"])[:10] == "2024-03-01"
    assert set(plain.frame("from rules")["segment_id"]) == {1, 2, 3}


def test_prototypes_of_known_fits_are_not_expanded_again(plain: Warehouse) -> None:
    fits = plain.relation("fits")
    again = expand_prototypes(fits, plain.relation("prototypes"))
    assert again.num_rows == 0
    assert expand_prototypes(fits, None).num_rows > 0


def test_shuffled_customers_give_the_same_tables(plain: Warehouse) -> None:
    shuffled = built(customers().sample(frac=1, random_state=1), variables())
    for table in TABLES:
        order = " order by customer_key" if table == "assignments" else ""
        query = f"from {table}{order}"
        pd.testing.assert_frame_equal(plain.frame(query), shuffled.frame(query))


def test_only_rows_of_today_are_segmented(plain: Warehouse) -> None:
    other_days = customers(120, seed=7).assign(
        as_of_date=pd.Timestamp("2023-09-01").date(), is_today=False
    )
    both = built(pd.concat([other_days, customers()]), variables())
    for table in TABLES:
        order = " order by customer_key" if table == "assignments" else ""
        query = f"from {table}{order}"
        pd.testing.assert_frame_equal(plain.frame(query), both.frame(query))


def test_no_customers_have_no_rows(warehouse: Warehouse) -> None:
    warehouse.build(variables())
    for table in TABLES:
        assert warehouse.frame(f"from {table}").empty, table


def test_only_customers_of_the_source_system_are_segmented(plain: Warehouse) -> None:
    frame = customers()
    others = frame.assign(
        customer_key="mall:" + frame["customer_key"],
        source_system="mall",
        monetary=np.nan,
    )
    both = ("shop", "mall")
    together = built(pd.concat([frame, others]), variables(source_systems=both))
    pd.testing.assert_series_equal(plain.segments(), together.segments())
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
def test_few_distinct_customers_have_few_candidates(
    frame: pd.DataFrame, candidates: int
) -> None:
    keys = [f"shop:{number}" for number in range(len(frame))]
    found = built(frame.assign(customer_key=keys), variables())
    searched = found.frame("from candidates where subsample is null")
    assert len(searched) == 3 + 3 + 5
    assert (searched["n_clusters"] > 1).sum() == min(candidates, 4)
    assert len(found.frame("from fits")) == (candidates > 0)
    assert len(found.segments()) == (len(frame) if candidates else 0)
    collapsed = searched[searched["n_clusters"] < 2]
    assert collapsed["silhouette"].isna().all()


def test_subsamples_repeat_what_the_verdict_rests_on() -> None:
    found = built(customers(), variables())
    candidates = found.frame("from candidates where subsample is null")
    repeated = found.frame("from candidates where subsample is not null")
    assert (candidates["n_clusters"] > 1).any()
    key = ["algorithm", "setting"]
    of_candidate = repeated.groupby(key)["subsample"].agg(list)
    assert len(of_candidate) == (candidates["n_clusters"] > 1).sum()
    assert of_candidate.map(lambda numbers: numbers == [*range(1, 10)]).all()
    # resamples and null draws are drawn again, all else is the candidate's
    both = repeated.merge(candidates, on=key, suffixes=("", "_of_all"))
    for column in ("n_clusters", "smallest_share", "noise_share", "silhouette"):
        assert (both[column] == both[f"{column}_of_all"]).all()
    for column in ("structure_p_value", "gap_p_value"):
        assert both[column].between(0, 1).all()
        assert (both[column] != both[f"{column}_of_all"]).any()
    assert (both["stability_mean"] >= both["stability_min_of_all"]).all()


def test_a_constant_feature_changes_nothing() -> None:
    frame = customers()
    alone = applied(frame, variables(SPENT))
    with_constant = applied(frame.assign(recency_days=7.0), variables(SPENT, RECENCY))
    with_missing = applied(
        frame.assign(recency_days=np.nan),
        variables(SPENT, {**RECENCY, "missing": "impute"}),
    )
    pd.testing.assert_series_equal(alone.segments(), with_constant.segments())
    pd.testing.assert_series_equal(alone.segments(), with_missing.segments())


def test_excluded_customers_are_counted_and_published_without_a_segment() -> None:
    frame = customers()
    frame.loc[:9, "recency_days"] = np.nan
    frame.loc[5:12, "monetary"] = np.nan
    found = built(frame, variables())
    assert set(found.frame("from candidates")["excluded_customers"]) == {13}
    assert set(found.frame("from candidates")["customers"]) == {77}
    [fit] = found.frame("from fits").to_dict("records")
    assert (fit["customers"], fit["excluded_customers"]) == (77, 13)
    segments = found.segments()
    assert segments.isna().tolist() == [True] * 13 + [False] * 77
    excluded = found.frame("from assignments where segment_id is null")
    assert (
        excluded[["distance", "centrality", "confidence", "pca_x", "pca_y"]]
        .isna()
        .all()
        .all()
    )


def test_a_segmentation_that_excludes_everyone_has_no_rows() -> None:
    found = built(customers().assign(monetary=np.nan), variables())
    assert found.frame("from candidates").empty
    assert found.segments().empty


def test_customers_without_an_imputed_feature_are_segmented() -> None:
    frame = customers()
    frame.loc[frame.index % 3 == 2, "recency_days"] = np.nan
    found = applied(frame, variables(SPENT, {**RECENCY, "missing": "impute"}))
    segments = found.segments()
    assert segments.notna().all()
    assert "recency_days is missing" in set(found.frame("from prototypes")["feature"])
    # they are alike, because they lack the same feature
    assert len(set(segments[2::3])) == 1
    assert set(segments[2::3]).isdisjoint(segments[::3])


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_value_is_one_readable_error(value: float) -> None:
    frame = customers()
    frame.loc[17, "recency_days"] = value
    with pytest.raises(InputError, match=r"segmentation who: features\.recency_days"):
        built(frame, variables())


def test_k_beyond_the_distinct_customers_gives_one_cluster() -> None:
    frame = customers()
    frame[["recency_days", "monetary"]] = np.array(GROUPS)[np.arange(90) % 3]
    found = built(frame, variables(k=[2, 6]))
    clusters = found.frame(
        "select setting, n_clusters from candidates"
        " where algorithm <> 'dbscan' and subsample is null"
    )
    assert Counter(map(tuple, clusters.to_numpy().tolist())) == {
        ("k=2", 2): 2,
        ("k=3", 3): 2,
        **{(f"k={k}", 1): 2 for k in (4, 5, 6)},
    }
    assert found.segments().nunique() == 3
    pinned = built(frame, variables(pin={"algorithm": "kmeans", "k": 9}))
    assert pinned.segments().nunique() == 3


def test_a_thousand_cities_are_the_most_frequent_and_the_rest() -> None:
    rng = np.random.default_rng(0)
    frame = customers(1_500)
    frame["city"] = [f"city {int(n) % 1_000}" for n in rng.pareto(1, 1_500) * 40]
    found = applied(frame, variables(SPENT, {**CITY, "weight": 1}))
    assert frame["city"].nunique() > 150
    features = set(found.frame("from prototypes")["feature"])
    assert 10 < len(features) <= 1 + 31
    assert found.segments().notna().all()


def test_the_last_fit_is_kept_until_something_changes(warehouse: Warehouse) -> None:
    warehouse.fill(customers())
    warehouse.apply(variables())
    before = warehouse.rows("from fits")
    warehouse.apply(variables())
    assert warehouse.rows("from fits") == before
    warehouse.fill(customers(91))
    warehouse.apply(variables())
    assert warehouse.fit_numbers() == [1, 2]
    warehouse.apply(variables(value_feature="recency_days"))
    assert warehouse.fit_numbers() == [1, 2, 3]
    refitted = variables(value_feature="recency_days") | {"segmentation_refits": 2}
    warehouse.apply(refitted)
    assert warehouse.fit_numbers() == [1, 2, 3, 4]


def test_ids_outlive_fits_and_are_not_used_again(warehouse: Warehouse) -> None:
    declared = variables(value_feature="monetary")
    frame = customers()
    warehouse.fill(frame)
    warehouse.apply(declared)
    first = warehouse.segments()
    lost = frame.index % 3 == 2
    warehouse.fill(frame[~lost])
    warehouse.apply(declared, "kmeans", "k=2")
    pd.testing.assert_series_equal(warehouse.segments(), first[~lost])
    new = frame.assign(recency_days=frame["recency_days"].mask(lost, 90.0))
    warehouse.fill(new.assign(monetary=new["monetary"].mask(lost, 5_000.0)))
    warehouse.apply(declared)
    third = warehouse.segments()
    assert set(third[lost]) == {4}
    # ids of fits before the last one are remembered as well
    warehouse.fill(frame)
    warehouse.apply(declared)
    assert set(warehouse.segments()[lost]) == {5}
    assert warehouse.fit_numbers() == [1, 2, 3, 4]


def test_later_customers_are_assigned_by_the_last_fit(warehouse: Warehouse) -> None:
    warehouse.fill(customers())
    warehouse.apply(variables())
    before = warehouse.frame("from fits")
    first = warehouse.segments()
    later = customers(120, seed=5).iloc[90:]
    warehouse.fill(pd.concat([customers(), later]))
    warehouse.assign(variables())
    pd.testing.assert_frame_equal(warehouse.frame("from fits"), before)
    segments = warehouse.segments()
    assert segments.tolist() == first.tolist() + first.tolist()[:30]
    assert set(warehouse.frame("from assignments")["fit_id"]) == {"who:1"}


def test_a_fit_without_refits_gives_no_confidence_until_the_next_fit(
    warehouse: Warehouse,
) -> None:
    warehouse.fill(customers())
    warehouse.apply(variables())
    assert warehouse.frame("from assignments")["confidence"].between(0, 1).all()
    # as a version without refits and seals has stored it, with the code that it had
    fits = warehouse.frame("from fits").assign(fingerprint="of earlier code")
    fits["model"] = [
        json.dumps(
            {k: v for k, v in json.loads(model).items() if k not in ("refits", "seal")}
        )
        for model in fits["model"]
    ]
    warehouse.write("fits", fits)
    first = warehouse.segments()
    warehouse.assign(variables())
    scored = warehouse.frame("from assignments")
    assert scored["confidence"].isna().all()
    assert scored["centrality"].notna().all()
    warehouse.apply(variables())
    assert warehouse.fit_numbers() == [1, 2]
    assert warehouse.frame("from assignments")["confidence"].notna().all()
    pd.testing.assert_series_equal(warehouse.segments(), first)


def test_a_choice_older_than_the_declaration_is_one_readable_error(
    warehouse: Warehouse,
) -> None:
    warehouse.fill(customers())
    warehouse.choose("kmeans", "k=3")
    message = "segmentation who: kmeans k=3, .*build cluster_choices"
    with pytest.raises(InputError, match=message):
        warehouse.fit(variables(algorithms=["ward"]))


def test_a_segmentation_that_is_no_longer_declared_is_not_assigned(
    warehouse: Warehouse,
) -> None:
    warehouse.fill(customers())
    warehouse.apply(variables())
    renamed = variables()
    renamed["segmentations"] = {"other": renamed["segmentations"]["who"]}
    warehouse.apply(renamed, "kmeans", "k=3", "other")
    assert set(warehouse.frame("from assignments")["segmentation"]) == {"other"}
    assert set(warehouse.frame("from fits")["segmentation"]) == {"who", "other"}


def test_a_segmentation_without_a_choice_keeps_no_old_segments(
    warehouse: Warehouse,
) -> None:
    warehouse.fill(customers())
    warehouse.apply(variables())
    warehouse.fill(customers().iloc[:0])
    warehouse.build(variables())
    assert warehouse.segments().empty
    assert warehouse.fit_numbers() == [1]


@pytest.mark.parametrize("pca", [1, 2, 0.9])
def test_principal_components_go_through_all_tables(pca: float) -> None:
    declared = variables(SPENT, RECENCY, CITY, pca=pca, algorithms=["kmeans", "ward"])
    found = built(customers(), declared)
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
    declared = variables(algorithms=["dbscan"])
    found = applied(frame, declared, "dbscan", "radius_quantile=0.9")
    assert found.segments().iloc[0] == 0
    prototypes = found.frame("from prototypes")
    assert (prototypes["reach"] > 0).all()
    weights = prototypes.drop_duplicates("prototype_number")["weight"]
    assert weights.sum() == 300


def test_a_pin_wins_and_is_marked() -> None:
    found = built(customers(), variables(pin={"algorithm": "average", "k": 7}))
    pinned = found.frame("from candidates where is_pinned and subsample is null")
    assert pinned[["algorithm", "setting"]].to_numpy().tolist() == [["average", "k=7"]]
    assert found.segments().nunique() == 7


# --- customers in memory


def test_customers_in_memory_are_assigned_as_in_the_warehouse() -> None:
    frame = customers()
    frame.loc[:4, "monetary"] = np.nan
    found = applied(frame, variables())
    order = np.random.default_rng(0).permutation(90)
    shuffled = found.frame("from features").iloc[order]
    assigned = assign_frame(shuffled, found.relation("fits"), ["who"])
    assert list(assigned) == ["customer_key", "segmentation", "segment_id"]
    assert set(assigned["segmentation"]) == {"who"}
    assert assigned["customer_key"].tolist() == shuffled["customer_key"].tolist()
    expected = found.segments()[shuffled["customer_key"]].reset_index(drop=True)
    pd.testing.assert_series_equal(assigned["segment_id"], expected)
    assert assigned["segment_id"].isna().sum() == 5


def test_customers_in_memory_need_only_the_columns_of_the_fits(
    plain: Warehouse,
) -> None:
    fits = plain.relation("fits")
    assert fit_columns(fits, ["who"]) == ["monetary", "recency_days"]
    assert fit_columns(fits, ["rfm"]) == []
    # of another source system, and so in no segment
    others = customers().assign(source_system="mall")
    frame = pd.concat([customers(3, seed=9), others], ignore_index=True)
    needed = frame[["customer_key", "source_system", "monetary", "recency_days"]]
    assigned = assign_frame(needed, fits, ["rfm", "who"])
    assert assigned["segment_id"].tolist() == [1, 2, 3]
    nothing = assign_frame(needed, fits, ["rfm"])
    assert nothing.empty
    assert nothing.dtypes.equals(assigned.dtypes)
    with pytest.raises(InputError, match=r"segmentation who: features\.monetary: "):
        assign_frame(needed.drop(columns="monetary"), fits, ["who"])


def test_customers_in_memory_are_assigned_by_the_last_fit(warehouse: Warehouse) -> None:
    warehouse.fill(customers())
    warehouse.apply(variables())
    warehouse.apply(variables(SPENT), "kmeans", "k=2")
    fits = warehouse.relation("fits")
    assert warehouse.fit_numbers() == [1, 2]
    assert fit_columns(fits, ["who"]) == ["monetary"]
    assigned = assign_frame(customers(), fits, ["who"])
    assert assigned["segment_id"].nunique() == 2


# --- errors


@pytest.mark.parametrize("step", ["search", "fit", "assign"])
@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (variables(algorithms=["k_means"]), "segmentation who: algorithms: .*kmeans"),
        (variables(k=[5, 2]), r"segmentation who: k: .*\[minimum, maximum\]"),
        (variables(colour="red"), "segmentation who: .*colour"),
        (variables(source_system="shp"), "segmentation who: source_system: .*shop"),
        (variables({"name": "x"}), r"segmentation who: features\.x\.transform: "),
        (
            variables() | {"segmentation_null_draws": 0},
            "segmentation_null_draws: is 0; .*at least 1",
        ),
        (
            variables() | {"segmentation_resamples": True},
            "segmentation_resamples: is True",
        ),
    ],
)
def test_a_wrong_declaration_is_one_readable_error(
    plain: Warehouse, step: str, declared: dict, message: str
) -> None:
    with pytest.raises(InputError, match=message) as error:
        getattr(plain, step)(declared)
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
            "segmentation who: value_feature: 'city' is not a number",
        ),
        (
            variables({"name": "city", "transform": "log"}),
            r"segmentation who: features\.city: ",
        ),
    ],
)
def test_a_feature_that_cannot_be_used_is_one_readable_error(
    plain: Warehouse, declared: dict, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        plain.search(declared)
