"""`mf query` answers what plain SQL answers, metric by metric."""

import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt_project import DECLARED, REPOSITORY, Sample

PROGRAM = Path(__file__).with_name("metric_queries.py")
PROJECT_FILES = ("dbt_project.yml", "profiles.yml", "vars.yml")
SHOP = "{{ Entity('source_system') }} = 'online_retail'"
Row = tuple[object, ...]


@dataclass(frozen=True)
class Question:
    """A query of metrics, and the SQL that has the same answer.

    Parameters
    ----------
    metrics, group_by : str
        Names, separated by commas.
    sql : str
        Selects the columns of ``group_by`` and then the metrics.
    where : str
        A condition in the words of MetricFlow.
    needs : str
        A metric that is null in rows that only the time spine has.
    """

    metrics: str
    group_by: str
    sql: str
    where: str = ""
    needs: str = ""

    @property
    def columns(self) -> list[str]:
        """The columns of the answer, in the order of the SQL."""
        return [*self.group_by.split(","), *self.metrics.split(",")]

    @property
    def arguments(self) -> list[str]:
        """The arguments of ``mf query``."""
        return [
            *("--metrics", self.metrics, "--group-by", self.group_by),
            *(("--where", self.where) if self.where else ()),
        ]


QUESTIONS = {
    "customers by source system": Question(
        "customers,buyers,repeat_customers,repeat_rate,customer_revenue",
        "source_system",
        """
        select source_system, count(*),
            count(*) filter (lifetime_purchases > 0),
            count(*) filter (lifetime_purchases > 1),
            count(*) filter (lifetime_purchases > 1)
                / count(*) filter (lifetime_purchases > 0),
            sum(lifetime_spent)
        from customers where lifetime_purchases is not null group by all
        union all
        select source_system, count(*), null, null, null, null
        from customers where lifetime_purchases is null group by all
        """,
    ),
    "sales by source system and month": Question(
        "revenue,purchases,purchased_amount,active_customers,average_order_value",
        "source_system,metric_time__month",
        """
        select source_system,
            date_trunc('month', coalesce(completed_at, transacted_at)),
            sum(amount),
            count(*) filter (is_completed),
            sum(amount) filter (is_completed),
            count(distinct customer_key) filter (is_completed),
            avg(amount) filter (is_completed)
        from transactions group by all
        """,
    ),
    "the sales of the mart of months": Question(
        "revenue,purchases",
        "source_system,metric_time__month",
        """
        select source_system, month_date, nullif(revenue, 0), purchases
        from monthly_sales where transactions > 0
        """,
    ),
    "sales by RFM segment": Question(
        "revenue,active_customers",
        "customer__rfm_segment",
        """
        select rfm_segment, sum(amount),
            count(distinct customer_key) filter (is_completed)
        from transactions left join customer_rfm using (customer_key)
        where transactions.source_system = 'online_retail' group by all
        """,
        where=SHOP,
    ),
    "value by segment": Question(
        "customers,revenue_share,predicted_value",
        "customer__online_retail_value_segment_name",
        """
        select segment_name, count(*),
            sum(monetary) / (
                select sum(lifetime_spent) from customers
                where source_system = 'online_retail'
            ),
            sum(expected_spend)
        from (
            from customer_segments where segmentation = 'online_retail_value'
        ) as segmented
        left join customer_rfm using (customer_key)
        left join customer_predictions using (customer_key)
        group by all
        """,
        where=SHOP,
    ),
    "value at risk by stage": Question(
        "value_at_risk",
        "source_system,customer__lifecycle_stage",
        """
        select customers.source_system, lifecycle_stage,
            sum(expected_spend * (lifecycle_stage = 'slipping')::int)
        from customers
        left join customer_lifecycle using (customer_key)
        left join customer_predictions using (customer_key)
        group by all
        """,
    ),
    "returns by source system and year": Question(
        "return_transactions,return_rate",
        "source_system,metric_time__year",
        """
        select source_system,
            date_trunc('year', coalesce(completed_at, transacted_at)),
            case when bool_or(coupon_code is null) then count(*) filter (is_return) end,
            case when bool_or(coupon_code is null) then
                count(*) filter (is_return)
                / count(*) filter (status in ('sold', 'returned'))
            end
        from transactions group by all
        """,
    ),
    "coupons by segment and month of the claim": Question(
        "coupons,redeemed_coupons,redemption_rate",
        "customer__marketplace_coupons_segment_name,metric_time__month",
        """
        select segment_name, date_trunc('month', transacted_at), count(*),
            count(*) filter (is_completed),
            count(*) filter (is_completed) / count(*)
        from transactions left join (
            from customer_segments where segmentation = 'marketplace_coupons'
        ) as segmented using (customer_key)
        where transactions.source_system = 'marketplace' group by all
        """,
        where="{{ Entity('source_system') }} = 'marketplace'",
    ),
    "retention by months since the first purchase": Question(
        "retention",
        "source_system,cohort_month__months_since",
        """
        select source_system, months_since,
            sum(active_customers) filter (is_complete and months_since > 0)
                / sum(customers) filter (is_complete and months_since > 0)
        from customer_cohorts group by all
        """,
    ),
    "revenue compared with the month before": Question(
        "revenue,revenue_growth,revenue_to_date",
        "metric_time__month",
        """
        with months as (
            select date_trunc('month', coalesce(completed_at, transacted_at)) as month,
                sum(amount) as revenue
            from transactions where source_system = 'online_retail' group by all
        )
        select months.month, months.revenue,
            (months.revenue - before.revenue) / before.revenue,
            sum(months.revenue) over (
                partition by year(months.month) order by months.month
            )
        from months left join months as before
            on before.month = months.month - interval 1 month
        """,
        where=SHOP,
        needs="revenue",
    ),
}


def plain(value: object) -> object:
    """Return a value of DuckDB, or the text that `mf query` writes, to compare."""
    if value is None or value == "":
        return None
    try:
        return float(str(value))
    except ValueError:
        return str(value).removesuffix(" 00:00:00")


def are_equal(one: Row, other: Row) -> bool:
    """Return whether rows agree, numbers up to rounding."""
    return len(one) == len(other) and all(
        math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
        if isinstance(left, float) and isinstance(right, float)
        else left == right
        for left, right in zip(one, other, strict=True)
    )


@pytest.fixture(scope="module")
def project(
    manifest: dict[str, Any], common: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a folder in which `mf` finds the project and its metrics."""
    folder = tmp_path_factory.mktemp("metrics")
    for name in PROJECT_FILES:
        (folder / name).symlink_to(REPOSITORY / name)
    (folder / "target").mkdir()
    shutil.copy(common / "compiled" / "semantic_manifest.json", folder / "target")
    return folder


@pytest.fixture(scope="module")
def answers(sample: Sample, project: Path) -> dict[str, list[Row]]:
    """Return what `mf query` answers, question by question."""
    finished = subprocess.run(
        [sys.executable, str(PROGRAM)],
        input=json.dumps([one.arguments for one in QUESTIONS.values()]),
        cwd=project,
        env=os.environ
        | {
            "CUSTOMER_SEGMENTATION_DATABASE": str(sample.database),
            "CUSTOMER_SEGMENTATION_ACCESS": "read_only",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-4_000:]
    found = json.loads(finished.stdout.splitlines()[-1])
    return {
        name: [
            tuple(plain(row[column]) for column in QUESTIONS[name].columns)
            for row in rows
        ]
        for name, rows in zip(QUESTIONS, found, strict=True)
    }


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_metric_is_what_sql_says(
    name: str, answers: dict[str, list[Row]], sample: Sample
) -> None:
    question = QUESTIONS[name]
    width = question.group_by.count(",") + 1
    found = answers[name]
    if question.needs:
        place = question.columns.index(question.needs)
        found = [row for row in found if row[place] is not None]
    expected = [tuple(map(plain, row)) for row in sample.rows(question.sql)]
    assert expected
    groups_of_answer = {row[:width]: row for row in found}
    groups_of_sql = {row[:width]: row for row in expected}
    assert len(groups_of_answer) == len(found)
    assert groups_of_answer.keys() == groups_of_sql.keys()
    different = [
        (row, groups_of_sql[group])
        for group, row in groups_of_answer.items()
        if not are_equal(row, groups_of_sql[group])
    ]
    assert different == [], question.columns


def test_every_metric_is_asked_for(project: Path) -> None:
    path = project / "target" / "semantic_manifest.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))["metrics"]
    shown = {one["name"] for one in metrics if not one["type_params"].get("is_private")}
    asked = {name for one in QUESTIONS.values() for name in one.metrics.split(",")}
    assert asked == shown


def test_every_shipped_segmentation_has_its_columns(manifest: dict[str, Any]) -> None:
    [model] = [
        node for node in manifest["nodes"].values() if node["name"] == "customer_360"
    ]
    end = "_segment_id"
    found = {name.removesuffix(end) for name in model["columns"] if name.endswith(end)}
    assert found == set(DECLARED)


# ---------- the traps of an analyst


def test_a_join_for_the_description_multiplies_customers_and_customer_360_does_not(
    sample: Sample,
) -> None:
    with sample.connected() as connection:
        joined, wide, customers = (
            connection.sql(query).fetchone()
            for query in (
                "select count(*) from customer_rfm"
                " join rfm_segments using (rfm_segment)",
                "select count(rfm_description) from customer_360",
                "select count(*) from customer_rfm",
            )
        )
    assert joined > customers
    assert wide == customers


def test_comments_warn_of_tables_that_multiply_customers(sample: Sample) -> None:
    with duckdb.connect(sample.published, read_only=True) as connection:
        comments = dict(
            connection.sql(
                "select table_name, comment from duckdb_tables() where not internal"
            ).fetchall()
        )
    for table, warning in {
        "customer_segments": "Pick one `segmentation` before you sum",
        "customer_segment_history": "Pick one `segmentation`",
        "customer_clusters": "Pick one `segmentation` before you sum",
        "rfm_segments": "multiplies customers",
        "transactions": "counts once per line",
        "transaction_lines": "counts once per line",
        "customer_interests": "Pick one `interest_rank`",
        "product_affinities": "Pick one `entity`",
        "revenue_concentration": "Pick one `measure`",
    }.items():
        text = " ".join(comments[table].split())
        assert warning in text, table
