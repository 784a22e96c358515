"""The tables that models of predictions read and write, small, as dbt keeps them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import yaml
from dbt_project import REPOSITORY
from jinja2 import Template

from customer_segmentation.prediction import (
    LearnedFrom,
    backtest_purchases,
    backtest_segments,
    evaluate_backtests,
    measure_drift,
    score_purchases,
    score_segments,
    split_records,
    train_models,
)
from customer_segmentation.prediction.entries import REGISTRY
from customer_segmentation.prediction.evaluations import EVALUATIONS

__all__ = [
    *("AS_OF", "EXISTING", "NEW", "SEGMENT"),
    *("Tables", "assert_defined", "snapshots"),
]

DECLARED = yaml.safe_load((REPOSITORY / "vars.yml").read_text(encoding="utf-8"))["vars"]
RULES = DECLARED["prediction"] | {
    # none that is shorter
    "backtest_horizon_days": [365],
    "segment_targets": ["rfm"],
    "folds": 2,
    "seeds": 1,
}
VARIABLES = {"prediction": RULES, "segmentations": {}}
AS_OF = date(2011, 12, 10)
RECORDED_DAYS = 1_200
SPEND = ["expected_spend", "spend_low", "spend_high"]
EXISTING = ("shop", "next_purchases", "existing")
NEW = ("shop", "next_purchases", "new")
SEGMENT = ("shop", "segment:rfm", "new")
INTERMEDIATE = REPOSITORY / "models" / "intermediate" / "prediction"
# where the SQL models of a build find their parents here
REFERRED = {
    "int_prediction__evaluations": "evaluations",
    "int_prediction__models": "registry",
    "int_prediction__splits": "splits",
}


def compiled(name: str) -> str:
    """Return the SQL of a model, on the tables here."""
    model = Template((INTERMEDIATE / f"{name}.sql").read_text(encoding="utf-8"))
    return model.render(
        ref=REFERRED.get, var=VARIABLES.get, ratio="({}) / nullif({}, 0)".format
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
            "is_new": False,
            "country": rng.choice(["France", "EIRE"], count),
            "day_of_year": [day.timetuple().tm_yday for day in days],
            "basket_value": value,
            "product_value": value,
            "basket_products": rng.integers(1, 40, count),
            "largest_line_share": rng.random(count),
        }
    )
    return frame.assign(**changes)


def snapshots(day: date, count: int, **changes: object) -> pd.DataFrame:
    """Return customers who are seen on a day."""
    rng = np.random.default_rng(1)
    bought = 1 + rng.poisson(rng.gamma(0.7, 4, count))
    spent = (bought * rng.lognormal(4, 1, count)).round(2)
    keys = [f"shop:{number:04d}" for number in range(count)]
    frame = pd.DataFrame(
        {
            "snapshot_key": [f"{key}:{day}" for key in keys],
            "customer_key": keys,
            "source_system": "shop",
            "as_of_date": day,
            "is_present": False,
            "country": rng.choice(["France", "EIRE"], count),
            "purchase_days": bought,
            "interpurchase_days": np.where(bought > 1, 300 / bought, np.nan),
            "recency_days": rng.integers(1, 300, count),
            "monetary": spent,
            "purchases_365": bought,
            "spend_365": spent,
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
        self.move_to(as_of_date, count)

    def move_to(self, today: date, count: int = 60) -> None:
        """Fill the features, outcomes and splits as of a day."""
        start = today - timedelta(RECORDED_DAYS)
        records = pd.DataFrame(
            {
                "source_system": ["shop"],
                "as_of_date": [today],
                "first_purchase_date": [start],
            }
        )
        self.write("records", records)
        self.write("splits", split_records(self.relation("records"), VARIABLES))
        past = [today - timedelta(days) for days in (2 * 365, 365)]
        self.write(
            "existing",
            pd.concat(
                [
                    *(snapshots(day, count) for day in past),
                    snapshots(today, 12, is_present=True),
                ]
            ),
        )
        # from the end of the burn-in to the last of whom the segment is known
        first, last = RULES["burn_in_days"], RECORDED_DAYS - 91
        spread = np.linspace(first, last, 2 * count).astype(int).tolist()
        days = [start + timedelta(day) for day in spread]
        recent = [today - timedelta(number + 1) for number in range(8)]
        self.write(
            "new",
            pd.concat(
                [
                    first_purchases(days, seed=1),
                    first_purchases(recent, seed=2, is_new=True),
                ]
            ),
        )
        self.execute(
            f"""
            create or replace table outcomes as
            select
                customer_key, source_system, 'existing' as population,
                as_of_date as origin_date, 365::int as horizon_days,
                recency_days < 150 as has_returned,
                case when recency_days < 150 then purchase_days else 0 end as purchases,
                case when recency_days < 150 then monetary else 0 end as spend
            from existing where not is_present
            union all
            select
                customer_key, source_system, 'new', first_purchase_date + 1, 365,
                basket_products > 20,
                case when basket_products > 20 then 2 else 0 end,
                case when basket_products > 20 then 2 * basket_value else 0 end
            from new where first_purchase_date + 366 <= date '{today}'
            """
        )
        self.execute(
            """
            create or replace table targets as
            select
                customer_key, source_system, 'rfm' as segmentation,
                case when basket_value > 50 then 'Loyal' else 'Lost' end as segment,
                basket_value > 50 as has_returned
            from new where not is_new
            """
        )
        self.execute(
            "create or replace table seasons as"
            " select 'shop' as source_system, as_of_date as origin_date,"
            " 365 as horizon_days, days_before, 1000 as purchases, 5000.0 as spend"
            " from (select distinct as_of_date from existing),"
            " (values (0), (365)) as days(days_before)"
        )

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

    def judge(
        self, places: Mapping[str, Sequence[float]], purpose: tuple[str, ...] = EXISTING
    ) -> None:
        """Say what the back-tests measured, and choose the first algorithm.

        Parameters
        ----------
        places : mapping of str to sequence of float
            By algorithm errors, of which less is better.
        purpose : tuple of str
            Source system, task and population.
        """
        facts = dict(zip(("source_system", "task", "population"), purpose, strict=True))
        rows = [
            facts
            | {
                "part": "selection",
                "horizon_days": 365,
                "algorithm": algorithm,
                "metric": f"error_{number}",
                "is_higher_better": False,
                "is_choice": True,
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

    def backtest(self) -> None:
        """Back-test, evaluate and choose, as a build does; tests are left out."""
        self.execute("delete from splits where part = 'test'")
        names = ("existing", "new", "outcomes", "splits", "seasons")
        relations = map(self.relation, names)
        self.write("backtests", backtest_purchases(*relations, VARIABLES))
        relations = map(self.relation, ("new", "targets", "splits"))
        self.write("segment_backtests", backtest_segments(*relations, VARIABLES))
        relations = map(self.relation, ("backtests", "segment_backtests"))
        self.write("evaluations", evaluate_backtests(*relations))
        self.write("choices", self.frame(compiled("int_prediction__choices")))

    def train(self) -> pd.DataFrame:
        """Train what is chosen, and return the new rows of the registry."""
        names = ("existing", "new", "outcomes", "targets", "splits", "seasons")
        trained = train_models(
            LearnedFrom(*map(self.relation, names)),
            *map(self.relation, ("evaluations", "choices", "registry")),
            VARIABLES,
        )
        self.write("trained", trained)
        self.execute("insert into registry from trained")
        return trained.to_pandas()

    def score(self) -> dict[str, pd.DataFrame]:
        """Score today's customers; return the rows by population."""
        self.write("champions", self.frame(compiled("int_prediction__champions")))
        found: dict[str, Callable[[], pa.RecordBatchReader]] = {
            population: self._stream(population) for population in ("existing", "new")
        }
        found["segment"] = lambda: score_segments(
            *map(self.relation, ("new", "champions", "registry"))
        )
        for name, stream in found.items():
            self.write(f"{name}_scores", stream().read_all())
        return {name: self.frame(f"from {name}_scores order by all") for name in found}

    def _stream(self, population: str) -> Callable[[], pa.RecordBatchReader]:
        return lambda: score_purchases(
            *map(self.relation, (population, "champions", "registry", "seasons")),
            population,
        )

    def drift(self) -> pd.DataFrame:
        """Compare those scored with those learned from."""
        names = ("existing", "new")
        scores = {name: self.relation(f"{name}_scores") for name in (*names, "segment")}
        customers = {name: self.relation(name) for name in names}
        in_use = map(self.relation, ("champions", "registry"))
        return measure_drift(customers, scores, *in_use).to_pandas()


def assert_defined(scores: dict[str, pd.DataFrame], has_amounts: bool = True) -> None:
    """Assert that whatever is predicted is a sensible number, or null throughout."""
    for population in ("existing", "new"):
        found = scores[population]
        assert found["return_probability"].between(0, 1).all()
        assert (found["expected_purchases"] >= found["return_probability"]).all()
        if has_amounts:
            assert np.isfinite(found[SPEND]).all(axis=None)
            assert (found["expected_spend"] >= 0).all()
            assert (found["spend_low"] <= found["spend_high"]).all()
        else:
            assert found[SPEND].isna().all(axis=None)
    assert scores["segment"]["probability"].between(0, 1).all()
