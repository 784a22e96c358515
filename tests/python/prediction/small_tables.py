"""The tables that Python models of predictions read and write, small, in memory."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from jinja2 import Template

from customer_segmentation.prediction import (
    InterestData,
    PredictionSettings,
    PurchaseData,
    SegmentData,
    TrainingData,
    backtest_interests,
    backtest_purchases,
    backtest_segments,
    evaluate_backtests,
    measure_drift,
    score_interests,
    score_purchases,
    score_segments,
    train_models,
)
from customer_segmentation.prediction.entries import REGISTRY
from customer_segmentation.prediction.evaluations import EVALUATIONS
from customer_segmentation.segmentation.tables import FITS

__all__ = [
    *("AS_OF", "EXISTING", "NEW", "SEGMENT"),
    *("Tables", "assert_defined", "customer_days"),
]

VARIABLES = {
    "prediction_segment_targets": ["rfm"],
    "prediction_folds": 2,
    "prediction_seeds": 1,
    "segmentations": {},
}
SETTINGS = PredictionSettings.read(VARIABLES)
AS_OF = date(2011, 12, 10)
SPEND = ["expected_spend", "spend_low", "spend_median", "spend_high"]
EXISTING = ("shop", "next_purchases", "existing")
NEW = ("shop", "next_purchases", "new")
SEGMENT = ("shop", "segment:rfm", "new")

# task, population, split, horizon, and days before today of the customers to learn from
# and of those to predict: as in int_features__splits, for a record of 1,200 days
SPLITS = [
    ("next_purchases", "existing", "score", 365, None, (0, 0)),
    ("next_purchases", "existing", "fit", 365, (365, 365), None),
    ("next_purchases", "existing", "test", 365, (730, 730), (365, 365)),
    ("next_purchases", "existing", "selection", 365, (730, 730), (730, 730)),
    ("next_purchases", "new", "score", 365, None, (7, 1)),
    ("next_purchases", "new", "fit", 365, (1_110, 366), None),
    ("next_purchases", "new", "test", 365, (1_110, 821), (455, 366)),
    ("next_purchases", "new", "selection", 365, (1_110, 821), (1_110, 821)),
    ("segment", "new", "score", 90, None, (7, 1)),
    ("segment", "new", "fit", 90, (1_110, 91), None),
    ("segment", "new", "test", 90, (1_110, 271), (180, 91)),
    ("segment", "new", "selection", 90, (1_110, 451), (360, 271)),
]

# splits of interests, which only some tests add
INTEREST_SPLITS = [
    (*purpose, name, 70, *days)
    for purpose in (("interests", "existing"), ("interests", "new"))
    for name, *days in (
        ("score", None, (0, 0)),
        ("fit", (70, 70), None),
        ("test", (140, 140), (70, 70)),
        ("selection", (140, 140), (140, 140)),
    )
]
CATEGORY_HISTORIES = """
    create or replace table category_histories (
        customer_key text, source_system text, population text, as_of_date date,
        first_purchase_date date, is_training_customer boolean, is_scored boolean,
        main_category text, distinct_categories bigint, category_recency_days bigint,
        category_history text
    )
"""
CATEGORY_OUTCOMES = """
    create or replace table category_outcomes (
        customer_key text, source_system text, population text, as_of_date date,
        horizon_days int, backtest_split text, category_id int, bought_categories text
    )
"""
CATEGORY_SEASONS = """
    create or replace table category_seasons (
        source_system text, as_of_date date, horizon_days int, category_id int,
        purchases bigint, spend double
    )
"""
PRODUCT_CATEGORIES = """
    create or replace table product_categories (source_system text, category_id int)
"""
INTERESTS = ("category_histories", "category_outcomes", "category_seasons")

REPOSITORY = Path(__file__).resolve().parents[3]
MODELS = REPOSITORY / "models" / "prediction"
THRESHOLDS = (
    pd.read_csv(REPOSITORY / "seeds" / "thresholds.csv")
    .set_index("threshold")["value"]
    .to_dict()
)
# what the SQL models of a build read, in the tables here
REFERRED = {
    "int_prediction__evaluations": "evaluations",
    "int_prediction__models": "registry",
    "int_prediction__outcomes": "outcomes",
    "int_features__splits": "splits",
    "model_registry": "model_registry",
    "model_evaluations": "model_evaluations",
    "prediction_drift": "drift",
}


def split_rows(today: date, splits: Sequence[tuple] = tuple(SPLITS)) -> pd.DataFrame:
    """Return the splits of a day, as ``int_features__splits``."""

    def dates(days: tuple[int, int] | None) -> tuple[date | None, date | None]:
        if days is None:
            return None, None
        return today - timedelta(days[0]), today - timedelta(days[1])

    return pd.DataFrame(
        [
            (
                *("shop", task, population, split, horizon, train == test),
                *dates(train),
                *dates(test),
                today,
            )
            for task, population, split, horizon, train, test in splits
        ],
        columns=[
            *("source_system", "task", "population", "split", "horizon_days"),
            *("is_cross_validated", "train_from_date", "train_to_date"),
            *("test_from_date", "test_to_date", "as_of_date"),
        ],
    )


def first_purchases(days: Sequence[date], seed: int, **changes: object) -> pd.DataFrame:
    """Return customers who bought first on those days."""
    rng = np.random.default_rng(seed)
    count = len(days)
    value = rng.lognormal(4, 1, count).round(2)
    frame = pd.DataFrame(
        {
            "customer_key": [f"shop:{seed}{number:04d}" for number in range(count)],
            "source_system": "shop",
            "transaction_key": "shop:1",
            "first_purchase_date": days,
            "as_of_date": [day + timedelta(1) for day in days],
            "is_new": False,
            "is_training_customer": True,
            "country": rng.choice(["France", "EIRE"], count),
            "day_of_year": [day.timetuple().tm_yday for day in days],
            "basket_value": value,
            "product_value": value,
            "basket_products": rng.integers(1, 40, count),
            "largest_line_share": rng.random(count),
        }
    )
    return frame.assign(**changes)


def customer_days(day: date, count: int, **changes: object) -> pd.DataFrame:
    """Return existing customers on a training date."""
    rng = np.random.default_rng(1)
    bought = 1 + rng.poisson(rng.gamma(0.7, 4, count))
    spent = (bought * rng.lognormal(4, 1, count)).round(2)
    frame = pd.DataFrame(
        {
            "customer_key": [f"shop:{number:04d}" for number in range(count)],
            "source_system": "shop",
            "as_of_date": day,
            "is_today": False,
            "is_training_date": True,
            "is_segment_target_date": False,
            "has_purchased": True,
            "country": rng.choice(["France", "EIRE"], count),
            "purchase_days": bought,
            "interpurchase_days": np.where(bought > 1, 300 / bought, np.nan),
            "recency_days": rng.integers(1, 300, count),
            "monetary": spent,
            "purchases_365": bought,
            "spend_365": spent,
            # for segments only
            "favourite_merchant": None,
        }
    )
    return frame.assign(**changes)


class Tables:
    """The tables of a shop, from features to drift.

    Parameters
    ----------
    count : int
        Customers to learn from, of each population.
    as_of_date : date
        Today.
    """

    def __init__(self, count: int = 60, as_of_date: date = AS_OF) -> None:
        self._connection = duckdb.connect()
        self.write("registry", REGISTRY.empty_table())
        self.write("evaluations", EVALUATIONS.empty_table())
        self.write("fits", FITS.empty_table())
        for statement in (
            *(CATEGORY_HISTORIES, CATEGORY_OUTCOMES, CATEGORY_SEASONS),
            PRODUCT_CATEGORIES,
        ):
            self.execute(statement)
        self.move_to(as_of_date, count)

    def move_to(self, today: date, count: int = 60) -> None:
        """Fill the features, outcomes, segments and splits as of a day."""
        self.write("splits", split_rows(today))
        # from the end of the burn-in to the last customer whose segment is known
        spread = np.linspace(1_110, 91, 2 * count).astype(int).tolist()
        days = [today - timedelta(days_ago) for days_ago in spread]
        recent = [today - timedelta(number + 1) for number in range(8)]
        learned = first_purchases(days, seed=1)
        scored = first_purchases(
            recent, seed=2, is_new=True, is_training_customer=False
        )
        self.write("new", pd.concat([learned, scored]))
        on_target_date = customer_days(today, len(learned)).assign(
            customer_key=learned["customer_key"],
            as_of_date=[day + timedelta(91) for day in days],
            is_training_date=False,
            is_segment_target_date=True,
            purchase_days=1 + (learned["basket_value"] > 50),
        )
        self.write(
            "existing",
            pd.concat(
                [
                    customer_days(today - timedelta(730), count),
                    customer_days(today - timedelta(365), count),
                    on_target_date,
                    customer_days(today, 12, is_today=True, is_training_date=False),
                ]
            ),
        )
        self.execute(
            f"""
            create or replace table outcomes as
            select
                customer_key, source_system, 'existing' as population,
                as_of_date, 365::int as horizon_days, null::text as backtest_split,
                recency_days < 150 as has_returned,
                case when recency_days < 150 then purchase_days else 0 end as purchases,
                case when recency_days < 150 then monetary else 0 end as spend
            from existing where is_training_date
            union all
            select
                customer_key, source_system, 'new', as_of_date, 365, null,
                basket_products > 20,
                case when basket_products > 20 then 2 else 0 end,
                case when basket_products > 20 then 2 * basket_value else 0 end
            from new where as_of_date + 365 <= date '{today}'
            """
        )
        self.execute(
            """
            create or replace table rfm_segments as
            select
                customer_key, source_system, existing.as_of_date,
                is_segment_target_date,
                case when basket_value > 50 then 'Loyal' else 'Lost' end as rfm_segment
            from existing join new using (customer_key, source_system)
            where is_segment_target_date
            """
        )
        self.execute(
            """
            create or replace table seasons as
            select
                'shop' as source_system, as_of_date, 365 as horizon_days,
                1000 as purchases, 1000 as purchases_of_year,
                5000.0 as spend, 5000.0 as spend_of_year,
                50000.0 as squared_spend, 50000.0 as squared_spend_of_year
            from (select distinct as_of_date from existing)
            """
        )

    def add_interests(self, count: int = 120, categories: int = 5) -> None:
        """Add customers with a favourite category, which most of them buy again."""
        rng = np.random.default_rng(3)
        self.write("interest_splits", split_rows(AS_OF, tuple(INTEREST_SPLITS)))
        self.execute("insert into splits by name from interest_splits")
        self.execute("drop table interest_splits")
        histories, outcomes = [], []
        for population in ("existing", "new"):
            for days_ago in (0, 70, 140):
                day = AS_OF - timedelta(days_ago)
                for number in range(count):
                    favourite = int(rng.integers(1, categories + 1))
                    other = int(rng.integers(1, categories + 1))
                    spend = {other: 10.0} | {favourite: 30.0}
                    key = f"shop:{population}{number:03d}"
                    is_new = population == "new"
                    histories.append(
                        {
                            "customer_key": f"{key}:{days_ago}" if is_new else key,
                            "source_system": "shop",
                            "population": population,
                            "as_of_date": day,
                            "first_purchase_date": day,
                            "is_training_customer": days_ago > 0,
                            "is_scored": days_ago == 0,
                            "main_category": str(favourite),
                            "distinct_categories": len(spend),
                            "category_recency_days": 1,
                            "category_history": " ".join(
                                f"{one}:1:{spend[one]:.2f}:{days_ago + 1}"
                                for one in sorted(spend)
                            ),
                        }
                    )
                    bought = favourite if rng.random() < 0.7 else other
                    outcomes.append(
                        {
                            "customer_key": histories[-1]["customer_key"],
                            "source_system": "shop",
                            "population": population,
                            "as_of_date": day,
                            "horizon_days": 70,
                            "backtest_split": None,
                            "category_id": bought,
                            "bought_categories": f"{bought}",
                        }
                    )
        self.write("category_histories", pd.DataFrame(histories))
        self.execute(
            "insert into product_categories"
            f" select 'shop', id from range(1, {categories + 1}) as categories(id)"
        )
        known = [one for one in outcomes if one["as_of_date"] < AS_OF]
        self.write("category_outcomes", pd.DataFrame(known))

    def interest_data(self) -> InterestData:
        """Read what models of interests learn from."""
        return InterestData.read(*map(self.relation, (*INTERESTS, "splits")))

    def copy(self) -> "Tables":
        """Return a copy, to be changed."""
        other = Tables.__new__(Tables)
        other._connection = duckdb.connect()
        for (name,) in self._connection.query("show tables").fetchall():
            other.write(name, self.relation(name).to_arrow_table())
        return other

    def relation(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return a table as dbt.ref does."""
        return self._connection.query(f"from {name}")

    def frame(self, query: str) -> pd.DataFrame:
        """Return what a query finds."""
        return self._connection.query(query).df()

    def execute(self, statement: str) -> None:
        """Change a table."""
        self._connection.execute(statement)

    def write(self, name: str, rows: pa.Table | pd.DataFrame) -> None:
        """Replace a table."""
        self._connection.register("written", rows)
        self.execute(f"create or replace table {name} as from written")
        self._connection.unregister("written")

    def build(self, name: str, path: str) -> None:
        """Replace a table by what a SQL model of predictions finds in the others."""
        model = Template((MODELS / path).read_text(encoding="utf-8"))
        query = model.render(
            ref=REFERRED.get,
            var=VARIABLES.get,
            ratio="({}) / nullif({}, 0)".format,
            threshold=THRESHOLDS.get,
        )
        self.execute(f"create or replace table {name} as {query}")

    def judge(
        self, places: Mapping[str, Sequence[float]], purpose: tuple[str, ...] = EXISTING
    ) -> None:
        """Set what the back-tests measured, and choose the first algorithm.

        Parameters
        ----------
        places : mapping of str to sequence of float
            Errors by algorithm.
        purpose : tuple of str
            Source system, task and population.
        """
        facts = dict(zip(("source_system", "task", "population"), purpose, strict=True))
        rows = [
            facts
            | {
                "split": "selection",
                "horizon_days": 365,
                "algorithm": algorithm,
                "metric": f"error_{number}",
                "is_higher_better": False,
                "is_selection_metric": True,
                "value": float(value),
            }
            for algorithm, values in places.items()
            for number, value in enumerate(values)
        ]
        self.write("evaluations", pa.Table.from_pylist(rows, EVALUATIONS))
        chosen, *_ = places
        *_, baseline = places
        choice = facts | {"algorithm": chosen, "baseline": baseline}
        self.write("choices", pd.DataFrame([choice]))

    def purchase_data(self) -> PurchaseData:
        """Read what models of purchases learn from."""
        names = ("existing", "new", "outcomes", "seasons", "splits")
        return PurchaseData.read(*map(self.relation, names))

    def segment_data(self) -> SegmentData:
        """Read what classifiers of segments learn from."""
        names = ("existing", "new", "rfm_segments", "fits", "splits")
        return SegmentData.read(*map(self.relation, names), SETTINGS)

    def backtest(self) -> None:
        """Back-test, evaluate and choose, as a build does; tests are left out."""
        self.execute("delete from splits where split = 'test'")
        self.write("backtests", backtest_purchases(self.purchase_data(), SETTINGS))
        self.write(
            "segment_backtests", backtest_segments(self.segment_data(), SETTINGS)
        )
        self.write(
            "interest_backtests", backtest_interests(self.interest_data(), SETTINGS)
        )
        self.evaluate()
        self.build("choices", "intermediate/int_prediction__choices.sql")

    def evaluate(self) -> None:
        """Measure what the back-tests found."""
        names = ("backtests", "segment_backtests", "interest_backtests")
        relations = map(self.relation, names)
        self.write("evaluations", evaluate_backtests(*relations))

    def training_data(self) -> TrainingData:
        """Read what all models learn from."""
        names = ("outcomes", "seasons", "rfm_segments", "fits", "splits", *INTERESTS)
        return TrainingData.read(
            *map(self.relation, ("existing", "new")),
            **{name: self.relation(name) for name in names},
            settings=SETTINGS,
        )

    def train(self) -> pd.DataFrame:
        """Train what is chosen, and return the new rows of the registry."""
        judged = map(self.relation, ("evaluations", "choices", "registry"))
        trained = train_models(self.training_data(), *judged)
        self.write("trained", trained)
        self.execute("insert into registry from trained")
        return trained.to_pandas()

    def score(self) -> dict[str, pd.DataFrame]:
        """Score today's customers; return the rows by population."""
        self.build("model_registry", "model_registry.sql")
        for population in ("existing", "new"):
            names = (population, "model_registry", "registry", "seasons")
            stream = score_purchases(*map(self.relation, names), population)
            self.write(f"{population}_scores", stream.read_all())
        stream = score_segments(
            *map(self.relation, ("new", "model_registry", "registry"))
        )
        self.write("segment_scores", stream.read_all())
        return {
            name: self.frame(f"from {name}_scores order by all")
            for name in ("existing", "new", "segment")
        }

    def drift(self) -> pd.DataFrame:
        """Compare today's customers with those that the champions learned from."""
        self.build("model_registry", "model_registry.sql")
        names = ("existing", "new", "model_registry", "registry", "category_histories")
        return measure_drift(*map(self.relation, names)).to_pandas()

    def score_interests(self) -> pd.DataFrame:
        """Score the interests of today's customers."""
        self.build("model_registry", "model_registry.sql")
        names = ("model_registry", "registry", "category_seasons", "product_categories")
        relations = map(self.relation, ("category_histories", *names))
        stream = score_interests(*relations)
        return stream.read_all().to_pandas()


def assert_defined(scores: dict[str, pd.DataFrame], has_amounts: bool = True) -> None:
    """Assert that every prediction is a sensible number, or null throughout."""
    for population in ("existing", "new"):
        found = scores[population]
        assert found["return_probability"].between(0, 1).all()
        assert (found["expected_purchases"] >= found["return_probability"]).all()
        if has_amounts:
            assert np.isfinite(found[SPEND]).all(axis=None)
            assert (found["expected_spend"] >= 0).all()
            assert (found["spend_low"] <= found["spend_median"]).all()
            assert (found["spend_median"] <= found["spend_high"]).all()
        else:
            assert found[SPEND].isna().all(axis=None)
    assert scores["segment"]["probability"].between(0, 1).all()
