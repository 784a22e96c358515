"""What a reader should not trust, and why."""

from collections.abc import Callable, Iterator

from customer_segmentation.serving.report.contents import Section
from customer_segmentation.serving.report.predictions import tests_of
from customer_segmentation.serving.report.published import (
    MissingMartError,
    PublishedTables,
)
from customer_segmentation.serving.report.words import count, decimals, listed, percent

__all__ = ["distrust_section"]

FEW_CUSTOMERS = 300
MIN_COVERAGE, MAX_COVERAGE = 0.7, 0.9


def distrust_section(tables: PublishedTables, source: str) -> Section:
    """Return the doubts that the tables raise about themselves."""
    doubts: list[str] = []
    kinds: tuple[Callable[..., Iterator[str]], ...] = (
        *(_few_customers, _no_structure, _many_missing, _drift, _evaluations, _warned),
    )
    for kind in kinds:
        try:
            doubts += kind(tables, source)
        except MissingMartError as missing:
            doubts.append(f"Not checked: {missing} is not in the published file.")
    return Section(
        "distrust",
        "What to distrust",
        doubts or ["The tables raise no doubt about themselves."],
    )


def _few_customers(tables: PublishedTables, source: str) -> Iterator[str]:
    [row] = tables.rows(
        "select count(*) as n from customers where source_system = ?", source
    )
    if row["n"] < FEW_CUSTOMERS:
        yield (
            f"There are {count(row['n'])} customers. With fewer than {FEW_CUSTOMERS}, "
            "shares and segments depend on a handful of them."
        )


def _no_structure(tables: PublishedTables, source: str) -> Iterator[str]:
    rows = tables.rows(
        "select segmentation, verdict from cluster_choices"
        " where source_system = ? and verdict != 'strong' order by segmentation",
        source,
    )
    for verdict, said in (
        ("none", "divides customers who do not fall into groups"),
        ("weak", "has segments that may come out differently next time"),
    ):
        names = [row["segmentation"] for row in rows if row["verdict"] == verdict]
        if names:
            yield (
                f"{listed(names)}: each of these segmentations {said}."
                if (len(names) > 1)
                else f"{names[0]} {said}."
            )


def _many_missing(tables: PublishedTables, source: str) -> Iterator[str]:
    rows = tables.rows(
        "select segmentation, customers, excluded_customers as excluded"
        " from cluster_choices where source_system = ? and excluded_customers > 0"
        " order by segmentation",
        source,
    )
    for row in rows:
        share = row["excluded"] / (row["excluded"] + row["customers"])
        yield (
            f"{row['segmentation']} says nothing of {count(row['excluded'])} customers "
            f"({percent(share)}): they miss a feature."
        )


def _drift(tables: PublishedTables, source: str) -> Iterator[str]:
    rows = tables.rows(
        "select population, feature, psi from prediction_drift"
        " where source_system = ? and is_prediction and change = 'significant'"
        " qualify row_number() over (partition by population"
        " order by psi desc, feature) = 1 order by population",
        source,
    )
    for row in rows:
        yield (
            f"Today's {row['population']} customers differ from those that the model "
            f"learned from: {row['feature']} has a PSI of {decimals(row['psi'])}, "
            "which is significant."
        )


def _evaluations(tables: PublishedTables, source: str) -> Iterator[str]:
    tests = tests_of(tables, source)
    if any(row["is_cross_validated"] for row in tests):
        yield (
            "Some predictions were tested on other customers of the same days, because "
            "the record has no later year. Out of time they are worse."
        )
    for row in tests:
        value, baseline = row["value"], row["baseline_value"]
        where = f"{row['population']} customers, {row['horizon_days']} days"
        if row["metric"] == "interval_coverage" and value < MIN_COVERAGE:
            yield f"The 80 % intervals hold {percent(value)} ({where})."
        if row["metric"] == "interval_coverage_above_zero" and value > MAX_COVERAGE:
            yield f"The 80 % intervals above 0 hold {percent(value)} ({where})."
        if row["metric"] == "spend_mae" and baseline is not None and value > baseline:
            yield (
                f"The baseline has the lower error of spend: {count(baseline)} against "
                f"{count(value)} ({where})."
            )


def _warned(tables: PublishedTables, _: str) -> Iterator[str]:
    [row] = tables.rows("select max(tests_warned) as warned from published_tables")
    if row["warned"]:
        yield (
            f"{count(row['warned'])} tests of the build warned; docs/operations.md "
            "explains each warning."
        )
