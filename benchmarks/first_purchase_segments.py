"""Print how well the segment of a customer is known from the first purchase.

From the real files: ``python benchmarks/first_purchase_segments.py --shared ../shared``
prints the protocol of the best-known notebook, what it says of first purchases, and our
classifiers on its 11 clusters. With ``--database`` of a warehouse that is built, the
same figures on our own segments too.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
import yaml
from future_forest import FutureForest, to_futures
from notebook_clusters import (
    BANDS,
    CATEGORIES,
    CLUSTERED,
    CLUSTERS,
    PUBLISHED,
    SPLIT,
    STRETCH,
    Clusters,
    netted,
    notebook_classifiers,
    read_lines,
    to_baskets,
    to_totals,
)
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

from customer_segmentation.prediction import PredictionSettings
from customer_segmentation.prediction.classification import (
    PredictedSegments,
    bootstrap_means,
    mean_quality,
    most_probable,
)
from customer_segmentation.prediction.cohorts import NEW
from customer_segmentation.prediction.segments import (
    CLASSIFIERS,
    fit_classifiers,
)
from customer_segmentation.prediction.targets import read_segment_targets

TARGET_TABLES = (
    "main_training.int_features__customer_days",
    "main_private.int_rfm__segments",
    "main_training.int_segmentation__fits",
)
PROJECT = Path(__file__).resolve().parent.parent
FUTURES_OF_OTHERS = "futures_of_others"
BOTH = "vote_and_futures"
# no prediction: what boosting could do if it knew how often each customer came
TOLD = "told the future count"
# of segments, as multiples of their probability
WEIGHTS = np.exp(np.linspace(-0.5, 3, 15))
Keys = NDArray[np.object_] | pd.Index
Predicted = dict[str, tuple[pd.Series, pd.DataFrame]]


@click.command()
@click.option(
    "--shared",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=PROJECT.parent / "shared",
    help="The folder with data/online-retail.",
)
@click.option(
    "--database",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Of a built warehouse.",
)
@click.option("--seeds", default=12, show_default=True, help="Clusterings and splits.")
def measure(shared: Path, database: Path | None, seeds: int) -> None:
    """Print the figures of segments from the first purchase."""
    lines = read_lines(shared)
    baskets = to_baskets(netted(lines))
    before = baskets[baskets["InvoiceDate"] < SPLIT]
    totals = to_totals(before)
    clusterings = [Clusters.of(totals, seed) for seed in range(seeds)]
    show_notebook(totals, baskets[baskets["InvoiceDate"] >= SPLIT], clusterings)
    show_clusters(lines, before, totals, clusterings)
    if database is not None:
        with duckdb.connect(str(database), read_only=True) as connection:
            show_segments(connection, seeds)


def show_notebook(
    totals: pd.DataFrame, test: pd.DataFrame, clusterings: list[Clusters]
) -> None:
    """Print the notebook's protocol, and where its accuracy comes from."""
    tested = to_totals(test)
    first = to_totals(test.groupby("CustomerID").head(1)).reindex(tested.index)
    came_once = (tested["count"] == 1).to_numpy()
    stretched = tested.assign(count=STRETCH * tested["count"])[CLUSTERED].to_numpy()
    read = ["mean", *CATEGORIES]
    rows: dict[str, list[list[float]]] = {}
    for seed, clusters in enumerate(clusterings):
        truth = clusters.predict(stretched)
        x_train, _, y_train, _ = train_test_split(
            totals[read], clusters.kmeans.labels_, train_size=0.8, random_state=seed
        )
        commonest = np.full(len(truth), np.bincount(y_train).argmax())
        guesses = {"majority": (commonest, commonest)}
        for name, classifier in notebook_classifiers(seed).items():
            with warnings.catch_warnings():
                # columns in pounds and in per cent, as published, do not converge
                warnings.simplefilter("ignore")
                classifier.fit(x_train, y_train)
            guesses[name] = tuple(
                classifier.predict(frame[read]) for frame in (tested, first)
            )
        for name, (of_totals, of_first) in guesses.items():
            figures = [
                accuracy_score(truth, of_totals),
                accuracy_score(truth[came_once], of_totals[came_once]),
                accuracy_score(truth[~came_once], of_totals[~came_once]),
                accuracy_score(truth[~came_once], of_first[~came_once]),
            ]
            rows.setdefault(name, []).append(figures)
    click.echo(
        f"The notebook's protocol: {len(totals):,} customers before {SPLIT:%Y-%m-%d}, "
        f"{len(clusterings)} seeds,\naccuracy on {len(tested):,} customers from then "
        f"on, of whom {came_once.mean():.1%} bought once there\n"
        f"{'':<22}published  reproduced (least, greatest)  once   more   more, from "
        "the first basket"
    )
    for name, figures in rows.items():
        mean = np.mean(figures, axis=0)
        accuracies = [one[0] for one in figures]
        published = f"{PUBLISHED[name]:.3f}" if name in PUBLISHED else "-"
        click.echo(
            f"{name:<22}{published:>9}  {mean[0]:>10.3f} "
            f"({min(accuracies):.3f}, {max(accuracies):.3f})        {mean[1]:>6.3f} "
            f"{mean[2]:>6.3f}  {mean[3]:>6.3f}"
        )
    click.echo(
        "It differs from ours: its features are totals of the months that make the\n"
        "label, its baskets are net of what was returned later, and the label of who\n"
        "bought once is a function of the features."
    )


def show_clusters(
    lines: pd.DataFrame,
    baskets: pd.DataFrame,
    totals: pd.DataFrame,
    clusterings: list[Clusters],
) -> None:
    """Print our classifiers on the 11 clusters of customers who came back."""
    features = to_features(lines)
    came_back = totals.index[totals["count"] > 1]
    first = features.groupby(level=0).head(1).droplevel(1).loc[came_back]
    futures = to_futures(baskets)
    futures = futures[futures.index.isin(features.index)]
    runs: list[Predicted] = []
    for seed, clusters in enumerate(clusterings):
        labels = pd.Series(clusters.kmeans.labels_, totals.index).loc[came_back]
        train, test = train_test_split(came_back, test_size=0.2, random_state=seed)
        known = labels.astype(str)
        run = predicted(first.drop(columns="country"), known, train, test)
        donors = futures[futures.index.get_level_values(0).isin(train)]
        columns = features.drop(columns="country").loc[donors.index].fillna(0)
        forest = FutureForest(clusters).fit(columns, donors)
        held = first.loc[test].drop(columns="country").fillna(0)
        own = first.loc[test, [f"spend_{name}" for name in CATEGORIES]]
        own = own.set_axis(CATEGORIES, axis=1).mul(first.loc[test, "amount"], axis=0)
        found = pd.DataFrame(
            forest.predict_proba(held, own.assign(amount=first.loc[test, "amount"])),
            index=test,
            columns=[str(number) for number in range(CLUSTERS)],
        )
        vote = run["soft_vote"][1].reindex(columns=found.columns, fill_value=0.0)
        run[FUTURES_OF_OTHERS] = known.loc[test], found
        run[BOTH] = known.loc[test], (vote + found) / 2
        for name in ("soft_vote", BOTH):
            run[f"{name}, for F1"] = known.loc[test], weighted_for_f1(run[name][1])
        told = first.drop(columns="country").assign(baskets=totals["count"])
        teller = CLASSIFIERS["gradient_boosting"]()
        teller.fit(told.loc[train], known.loc[train])
        run[TOLD] = known.loc[test], teller.predict_proba(told.loc[test])
        runs.append(run)
    click.echo(
        f"\n{CLUSTERS} clusters from the first invoice, {len(came_back):,} customers "
        f"who came back, 80/20,\n{len(runs)} seeds (targets: accuracy 0.60, macro-F1 "
        "0.45; baseline 0.535 and 0.368)"
    )
    show_runs(runs)
    show_ceiling(runs, FUTURES_OF_OTHERS)


def to_features(lines: pd.DataFrame) -> pd.DataFrame:
    """Return features of invoices as booked, nothing of later cancellations in them.

    Indexed by customer and invoice, in order of time.
    """
    bought = lines[(lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)]
    price = bought.groupby("Description")["UnitPrice"].mean()
    band = np.searchsorted(BANDS, bought["Description"].map(price))
    amount = bought["Quantity"] * bought["UnitPrice"]
    bought = bought.assign(
        amount=amount,
        squared=amount**2,
        is_dozen=(bought["Quantity"] % 6 == 0) | (bought["Quantity"] % 10 == 0),
        **{
            f"spend_{name}": amount.where(band == number, 0.0)
            for number, name in enumerate(CATEGORIES)
        },
    )
    features = bought.groupby(["CustomerID", "InvoiceNo"]).agg(
        amount=("amount", "sum"),
        lines=("amount", "size"),
        items=("Quantity", "sum"),
        max_line=("amount", "max"),
        median_line=("amount", "median"),
        median_price=("UnitPrice", "median"),
        median_quantity=("Quantity", "median"),
        dozen_share=("is_dozen", "mean"),
        concentration=("squared", "sum"),
        country=("Country", "first"),
        bought_at=("InvoiceDate", "min"),
        **{f"spend_{name}": (f"spend_{name}", "sum") for name in CATEGORIES},
    )
    shares = [f"spend_{name}" for name in CATEGORIES]
    features[shares] = features[shares].div(features["amount"], axis=0)
    bought_at = features.pop("bought_at")
    features = features.assign(
        price_per_item=features["amount"] / features["items"],
        concentration=features["concentration"] / features["amount"] ** 2,
        greatest_share=features[shares].max(axis=1),
        is_domestic=(features["country"] == "United Kingdom").astype(float),
        hour=bought_at.dt.hour + bought_at.dt.minute / 60,
        weekday=bought_at.dt.day_of_week.astype(float),
        days_left=(SPLIT - bought_at).dt.days.astype(float),
    )
    order = pd.DataFrame({"at": bought_at}).reset_index()
    order = order.sort_values(["CustomerID", "at", "InvoiceNo"]).index
    return features.iloc[order]


def show_segments(connection: duckdb.DuckDBPyConnection, seeds: int) -> None:
    """Print our classifiers on the segmentations of a warehouse."""
    variables = yaml.safe_load((PROJECT / "vars.yml").read_text())["vars"]
    targets = read_segment_targets(
        *(connection.query(f"from {table}") for table in TARGET_TABLES),
        PredictionSettings.read(variables).segment_targets,
    )
    features = connection.sql("from main_training.int_features__first_purchases").df()
    read = features.set_index("customer_key")[NEW.features(features.columns)]
    for (source, name), rows in targets.items():
        segments = rows[rows["has_returned"]].set_index("customer_key")["segment"]
        segments = segments[segments.index.isin(read.index)].sort_index()
        keys = segments.index.to_numpy(dtype=object)
        runs = []
        for seed in range(seeds):
            train, test = train_test_split(keys, test_size=0.2, random_state=seed)
            runs.append(predicted(read, segments, train, test))
        click.echo(
            f"\n{source} {name} from the first transaction, {len(segments):,} "
            f"customers who came back, {segments.nunique()} segments, 80/20, {seeds} "
            "seeds"
        )
        show_runs(runs)


def judged(segments: pd.Series, probabilities: pd.DataFrame) -> PredictedSegments:
    """Return actual and predicted segments, for the metrics."""
    segments = segments.sort_index()
    probabilities = probabilities.loc[segments.index]
    position = probabilities.columns.get_indexer(segments)
    own = probabilities.to_numpy()[np.arange(len(segments)), position]
    return PredictedSegments.of(
        segments,
        most_probable(probabilities)["segment"],
        pd.Series(np.where(position < 0, 0.0, own)),
    )


def predicted(
    features: pd.DataFrame, segments: pd.Series, train: Keys, test: Keys
) -> Predicted:
    """Return the segments of customers left out, and what each classifier says."""
    classifiers = fit_classifiers(features.loc[train], segments.loc[train])
    return {
        name: (segments.loc[test], one.predict_proba(features.loc[test]))
        for name, one in classifiers.items()
    }


def show_runs(runs: list[Predicted]) -> None:
    """Print mean figures of classifiers, their spread, and what the vote confuses.

    An interval is the mean of those of the seeds, customers drawn with replacement; it
    is no narrower for more seeds, for the splits share customers.
    """
    click.echo(
        f"{'':<26}accuracy [95 % interval] (least, greatest)    balanced  macro-F1 "
        "[interval]        log-loss"
    )
    for name in runs[0]:
        tables = [judged(*run[name]) for run in runs]
        found = pd.DataFrame([mean_quality([table]) for table in tables])
        means, accuracies = found.mean(), found["accuracy"]
        resampled = [bootstrap_means([table], 300) for table in tables]
        low, high = (
            pd.DataFrame([one.quantile(end) for one in resampled]).mean()
            for end in (0.025, 0.975)
        )
        click.echo(
            f"{name:<26}{means['accuracy']:.4f} [{low['accuracy']:.3f}, "
            f"{high['accuracy']:.3f}] ({min(accuracies):.3f}, "
            f"{max(accuracies):.3f})    {means['balanced_accuracy']:.3f}    "
            f"{means['macro_f1']:.3f} [{low['macro_f1']:.3f}, "
            f"{high['macro_f1']:.3f}]    {means['log_loss']:.3f}"
        )
    click.echo("Actual (rows) and predicted (columns), soft vote, first seed")
    segments, found = runs[0]["soft_vote"]
    guesses = most_probable(found)["segment"]
    click.echo(pd.crosstab(segments, guesses, rownames=["actual"]).to_string())


def show_ceiling(runs: list[Predicted], name: str) -> None:
    """Print what probabilities of one predictor allow, if they are calibrated."""
    expected, best = [], []
    for run in runs:
        segments, found = run[name]
        expected.append(found.max(axis=1).mean())
        best.append(np.mean(list(best_f1(segments, found))))
    click.echo(
        f"What {name} allows: accuracy {np.mean(expected):.3f} is expected of who "
        f"takes the likeliest;\nmacro-F1 {np.mean(best):.3f} were each segment's "
        "threshold chosen in hindsight, on the test, and the\nsegments did not compete"
    )


def weighted_for_f1(probabilities: pd.DataFrame) -> pd.DataFrame:
    """Weigh probabilities for the greatest macro-F1 that they let expect.

    What is expected comes from the probabilities alone, no segment is looked at.
    """
    names = probabilities.columns[probabilities.sum() > 0]
    known = probabilities[names].to_numpy()
    rows = np.arange(len(known))

    def expected(weights: NDArray[np.float64]) -> float:
        guessed = (known * weights).argmax(axis=1)
        hits = np.bincount(guessed, known[rows, guessed], len(names))
        named = np.bincount(guessed, minlength=len(names))
        return float((2 * hits / (named + known.sum(axis=0))).mean())

    weights = np.ones(len(names))
    for _ in range(4):
        for one in range(len(names)):
            tried = []
            for weight in WEIGHTS:
                weights[one] = weight
                tried.append(expected(weights))
            weights[one] = WEIGHTS[int(np.argmax(tried))]
    product = known * weights
    return pd.DataFrame(
        product / product.sum(axis=1, keepdims=True), probabilities.index, names
    )


def best_f1(segments: pd.Series, probabilities: pd.DataFrame) -> Iterator[float]:
    """Return the greatest F1 of each segment over all thresholds."""
    for name in segments.unique():
        order = np.argsort(-probabilities[name].to_numpy(), kind="stable")
        is_one = (segments == name).to_numpy()[order]
        named = np.arange(1, len(segments) + 1)
        yield float((2 * np.cumsum(is_one) / (named + is_one.sum())).max())


if __name__ == "__main__":
    measure()
