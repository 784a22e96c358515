"""What was tried, what was chosen, and whether the segments exist."""

from collections.abc import Mapping
from typing import Any

from customer_segmentation.serving.report.contents import Figure, Section
from customer_segmentation.serving.report.curves import line_chart
from customer_segmentation.serving.report.published import PublishedTables
from customer_segmentation.serving.report.words import count, decimals

__all__ = ["NO_STRUCTURE", "choice_of", "choice_section"]

NO_STRUCTURE = (
    "These segments are drawn into customers who do not fall into groups: random data "
    "without segments look as clustered as they do. Use them to divide customers, "
    "and do not take them for kinds of customers."
)
VERDICTS = {
    "strong": "The verdict is strong: the segments are dense groups with gaps between "
    "them, and come out again when the search is repeated on resamples of customers.",
    "weak": "The verdict is weak: the segments are a useful cut of customers who have "
    "some structure, but no clear gaps between all of them, or they do not come out "
    "the same each time.",
    "none": "The verdict is none: the data do not show that these segments exist.",
}
CURVES = (
    ("inertia", "elbow", "Elbow: inertia by number of segments", ",.0f"),
    ("silhouette", "silhouette", "Silhouette by number of segments", ".2f"),
    ("stability_mean", "stability", "Stability by number of segments", ".2f"),
)
READ = {
    "inertia": "Distances within segments: lower is tighter; look for the bend.",
    "silhouette": "How far segments are apart: 1 is clearly, 0 not at all.",
    "stability_mean": "Agreement with fits to resamples (adjusted Rand index); 1 is "
    "the same segments each time.",
}


def choice_of(tables: PublishedTables, segmentation: str) -> dict[str, Any]:
    """Return the row of ``cluster_choices``; empty if nothing was chosen."""
    found = tables.rows(
        "select algorithm, n_clusters, verdict, is_pinned, customers,"
        " excluded_customers, structure_p_value, correlation_p_value, gap_p_value,"
        " stability_mean, stability_min, silhouette"
        " from cluster_choices where segmentation = ?",
        segmentation,
    )
    return found[0] if found else {}


def choice_section(tables: PublishedTables, segmentation: str) -> Section:
    """Return the curves of the search, and the verdict in words."""
    choice = choice_of(tables, segmentation)
    candidates = tables.rows(
        "select algorithm, setting, n_clusters, inertia, silhouette, stability_mean"
        " from cluster_candidates where segmentation = ? and n_clusters is not null"
        " order by algorithm, n_clusters, setting",
        segmentation,
    )
    title = "Do these segments exist?"
    if not choice:
        return Section(
            "choice", title, ["No candidate was chosen: there are too few customers."]
        )
    by_k = [row for row in candidates if str(row["setting"]).startswith("k=")]
    curves = by_k if len({row["n_clusters"] for row in by_k}) > 1 else []
    parts = [
        _curve(curves, choice, *curve)
        for curve in CURVES
        if sum(row[curve[0]] is not None for row in curves) > 1
    ]
    sentences = verdict_sentences(choice)
    if not parts:
        sentences.append("One number of segments was tried, so there is no curve.")
    return Section(
        "choice",
        title,
        sentences,
        NO_STRUCTURE if choice["verdict"] == "none" else "",
        parts,
    )


def verdict_sentences(choice: Mapping[str, Any]) -> list[str]:
    """Return the verdict in words, with the numbers that it rests on."""
    chosen = (
        f"{choice['algorithm']} with {count(choice['n_clusters'])} segments was "
        + ("declared" if choice["is_pinned"] else "chosen")
        + f" for {count(choice['customers'])} customers"
    )
    if choice["excluded_customers"]:
        chosen += (
            f"; {count(choice['excluded_customers'])} more miss a feature, and are in "
            "no segment"
        )
    sentences = [VERDICTS.get(choice["verdict"], ""), f"{chosen}."]
    if choice["structure_p_value"] is not None:
        sentences.append(
            "Random data look at least as clustered with probability "
            f"{decimals(choice['structure_p_value'])} (correlations removed) and "
            f"{decimals(choice['correlation_p_value'])} (correlations kept)."
        )
    if choice["gap_p_value"] is not None:
        sentences.append(
            "One crowd of customers would show such gaps between the segments with "
            f"probability {decimals(choice['gap_p_value'])}."
        )
    if choice["stability_mean"] is not None:
        sentences.append(
            f"Resamples agree with the segments at {decimals(choice['stability_mean'])}"
            f" on average, {decimals(choice['stability_min'])} at the lowest; the "
            f"silhouette is {decimals(choice['silhouette'])}."
        )
    return [sentence for sentence in sentences if sentence]


def _curve(
    rows: list[dict[str, Any]],
    choice: Mapping[str, Any],
    field: str,
    name: str,
    title: str,
    form: str,
) -> Figure:
    measure = field.removesuffix("_mean")
    columns = {
        "n_clusters": ("number of segments", ""),
        field: (measure, form),
        "algorithm": ("algorithm", ""),
    }
    shown = [row for row in rows if row[field] is not None]
    chosen = f"the chosen {count(choice['n_clusters'])} segments are marked"
    return Figure(
        name,
        title,
        f"Lines: {measure} by number of segments, one line for each algorithm; "
        f"{chosen}, with {measure} {decimals(choice.get(field))}."
        if choice.get(field) is not None
        else f"Lines: {measure} by number of segments; {chosen}.",
        line_chart(
            shown,
            *("n_clusters", field, "algorithm", columns),
            marked=choice["n_clusters"]
            if any(row["n_clusters"] == choice["n_clusters"] for row in shown)
            else None,
        ),
        f"{READ[field]} Dashed: what was chosen.",
        is_main=True,
    )
