"""Findings: sentences that the data say, each with the number that it rests on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from customer_segmentation.serving.report.contents import Finding, Section
from customer_segmentation.serving.report.predictions import tests_of
from customer_segmentation.serving.report.published import (
    MissingMartError,
    PublishedTables,
)
from customer_segmentation.serving.report.words import count, decimals, money, percent

__all__ = ["findings_section"]

Cells = Sequence[Mapping[str, Any]]


def findings_section(tables: PublishedTables, source: str) -> Section:
    """Return what is found; a finding whose table is missing is left out."""
    found: list[Finding] = []
    kinds: tuple[Callable[..., Iterator[Finding]], ...] = (
        *(_once, _verdicts, _segments_worth, _winnable, _predictions),
    )
    for kind in kinds:
        try:
            found += kind(tables, source)
        except MissingMartError:
            continue
    sentences = [] if found else ["There is too little data for a finding."]
    return Section("findings", "Findings", sentences, findings=found)


def _once(tables: PublishedTables, source: str) -> Iterator[Finding]:
    [row] = tables.rows(
        "select count(*) filter (lifetime_purchases = 1) as once,"
        " count(*) filter (lifetime_purchases > 0) as buyers"
        " from customers where source_system = ?",
        source,
    )
    if row["buyers"]:
        yield Finding(
            f"{percent(row['once'] / row['buyers'])} of the buyers bought once.",
            f"{count(row['once'])} of {count(row['buyers'])} customers with a purchase "
            "have lifetime_purchases = 1 (customers)",
        )


def _segments_worth(tables: PublishedTables, source: str) -> Iterator[Finding]:
    rows = tables.rows(
        "select segmentation, segment_name, share, revenue_share, customers, revenue"
        " from segments where source_system = ? and revenue_share is not null"
        " qualify row_number() over (partition by segmentation order by"
        " revenue_share desc, segment_id) = 1 order by segmentation",
        source,
    )
    for row in rows:
        yield Finding(
            f"In {row['segmentation']}, “{row['segment_name']}” is "
            f"{percent(row['share'])} of the customers and brings "
            f"{percent(row['revenue_share'])} of the revenue.",
            f"{count(row['customers'])} customers, revenue {money(row['revenue'])} "
            "(segments)",
        )


def _verdicts(tables: PublishedTables, source: str) -> Iterator[Finding]:
    rows = tables.rows(
        "select segmentation, verdict, stability_mean, structure_p_value,"
        " correlation_p_value from cluster_choices where source_system = ?"
        " order by segmentation",
        source,
    )
    said = {
        "strong": "are dense groups with gaps between them",
        "weak": "are a useful cut: there is structure, and it is not clear",
        "none": "are not shown to exist",
    }
    for row in rows:
        yield Finding(
            f"The segments of {row['segmentation']} "
            f"{said.get(row['verdict'], 'have no verdict')}.",
            f"verdict {row['verdict']}: p-values "
            f"{decimals(row['structure_p_value'])} and "
            f"{decimals(row['correlation_p_value'])}, stability "
            f"{decimals(row['stability_mean'])} (cluster_choices)",
        )


def _winnable(tables: PublishedTables, source: str) -> Iterator[Finding]:
    rows = tables.rows(
        "select rfm_segment, count(*) as customers, sum(monetary) as spent"
        " from customer_rfm where source_system = ?"
        " and rfm_segment in ('At Risk', 'Can''t Lose Them') group by all order by all",
        source,
    )
    customers = sum(row["customers"] for row in rows)
    spent = [row["spent"] for row in rows if row["spent"] is not None]
    if customers:
        yield Finding(
            f"{count(customers)} customers bought often and have stopped"
            + (f"; so far they spent {money(sum(spent))}." if spent else "."),
            "; ".join(
                f"{row['rfm_segment']}: {count(row['customers'])}" for row in rows
            )
            + " (customer_rfm)",
        )


def _predictions(tables: PublishedTables, source: str) -> Iterator[Finding]:
    metrics = ("spend_spearman", "purchases_spearman")
    seen = set()
    for row in tests_of(tables, source):
        place = (row["population"], row["task"])
        if row["metric"] not in metrics or place in seen:
            continue
        value, baseline = row["value"], row["baseline_value"]
        if value is None or baseline is None or row["task"] != "next_purchases":
            continue
        seen.add(place)
        better = "better than" if value > baseline else "no better than"
        yield Finding(
            f"The model ranks {row['population']} customers {better} "
            f"the baseline “{row['baseline']}”.",
            f"rank correlation {decimals(value)} against {decimals(baseline)} on "
            f"{count(row['customers'])} customers, {row['horizon_days']} days "
            "(model_evaluations)",
        )
