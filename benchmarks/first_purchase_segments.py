"""Print how well the segment of a customer is predicted from the first purchase.

``python benchmarks/first_purchase_segments.py`` reads the public data set. It prints
the protocol of the best-known notebook, what that notebook tells from first purchases,
and how well our classifiers predict its 11 clusters. With the ``--database`` of a
build, it also prints how well they predict our own segments.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
from future_forest import FutureForest, to_futures
from notebook_clusters import (
    CATEGORIES,
    CLUSTERED,
    CLUSTERS,
    COUNT_FACTOR,
    PUBLISHED,
    TEST_FROM,
    Clusters,
    net_of_cancellations,
    notebook_classifiers,
    product_categories,
    read_lines,
    spend_by_category,
    to_baskets,
    to_totals,
)
from numpy.typing import NDArray
from project import SHARED, read_variables
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

from customer_segmentation.prediction import PredictionSettings, SegmentData
from customer_segmentation.prediction.classification import (
    PredictedSegments,
    bootstrap_means,
    mean_quality,
    most_probable,
)
from customer_segmentation.prediction.segments import (
    CLASSIFIERS,
    SOFT_VOTE,
    fit_classifiers,
)

TABLES = (
    "main_training.int_features__customer_days",
    "main_training.int_features__first_purchases",
    "main_private.int_rfm__segments",
    "main_training.int_segmentation__fits",
    "main_private.int_features__splits",
)
TEST_SHARE = 0.2
RESAMPLES = 300
FUTURES = "futures_of_others"
VOTE_AND_FUTURES = "vote_and_futures"
# no prediction: boosting that knows how often each customer will have bought
KNOWN_COUNT = "with the later count"
# of segments, as multiples of their probabilities
WEIGHTS = np.exp(np.linspace(-0.5, 3, 15))
WEIGHT_ROUNDS = 4
SHARES = [f"spend_{name}" for name in CATEGORIES]

Keys = NDArray[np.object_] | pd.Index
# actual segments and predicted probabilities of the test, by classifier
Predicted = dict[str, tuple[pd.Series, pd.DataFrame]]


@click.command()
@click.option(
    "--shared",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=SHARED,
    help="The folder with data/online-retail.",
)
@click.option(
    "--database",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A built database.",
)
@click.option(
    "--seeds", default=12, show_default=True, help="Number of clusterings and splits."
)
def measure(shared: Path, database: Path | None, seeds: int) -> None:
    """Print metrics of segments that are predicted from the first purchase."""
    lines = read_lines(shared)
    baskets = to_baskets(net_of_cancellations(lines))
    is_test = baskets["InvoiceDate"] >= TEST_FROM
    before, after = baskets[~is_test], baskets[is_test]
    totals = to_totals(before)
    clusterings = [Clusters.fit(totals, seed) for seed in range(seeds)]
    show_notebook(totals, after, clusterings)
    show_clusters(lines, before, totals, clusterings)
    if database is not None:
        with duckdb.connect(str(database), read_only=True) as connection:
            show_segments(connection, seeds)


# -- the protocol of the notebook


def show_notebook(
    totals: pd.DataFrame, test: pd.DataFrame, clusterings: list[Clusters]
) -> None:
    """Print the accuracy of the notebook, and the customers that it comes from.

    Parameters
    ----------
    totals : pandas.DataFrame
        Customers before the test.
    test : pandas.DataFrame
        Baskets of the test.
    clusterings : list of Clusters
        One per seed.
    """
    tested = to_totals(test)
    first = to_totals(test.groupby("CustomerID").head(1)).reindex(tested.index)
    has_one = (tested["count"] == 1).to_numpy()
    scaled = tested.assign(count=COUNT_FACTOR * tested["count"])[CLUSTERED].to_numpy()
    features = ["mean", *CATEGORIES]
    rows: dict[str, list[list[float]]] = {}
    for seed, clusters in enumerate(clusterings):
        actual = clusters.predict(scaled)
        x_train, _, y_train, _ = train_test_split(
            totals[features], clusters.kmeans.labels_, train_size=0.8, random_state=seed
        )
        majority = np.full(len(actual), np.bincount(y_train).argmax())
        guesses = {"majority": (majority, majority)}
        for name, classifier in notebook_classifiers(seed).items():
            with warnings.catch_warnings():
                # pounds beside per cent, as published, do not converge
                warnings.simplefilter("ignore")
                classifier.fit(x_train, y_train)
            guesses[name] = tuple(
                classifier.predict(frame[features]) for frame in (tested, first)
            )
        for name, (by_totals, by_first) in guesses.items():
            accuracies = [
                accuracy_score(actual, by_totals),
                accuracy_score(actual[has_one], by_totals[has_one]),
                accuracy_score(actual[~has_one], by_totals[~has_one]),
                accuracy_score(actual[~has_one], by_first[~has_one]),
            ]
            rows.setdefault(name, []).append(accuracies)
    click.echo(
        f"The notebook's protocol: {len(totals):,} customers before "
        f"{TEST_FROM:%Y-%m-%d}, {len(clusterings)} seeds.\nAccuracy on {len(tested):,} "
        f"customers from then on; {has_one.mean():.1%} of them have one basket there.\n"
        f"{'':<22}published  reproduced (minimum, maximum)  one basket  several  "
        "several, by the first"
    )
    for name, accuracies in rows.items():
        overall, one, several, by_first = np.mean(accuracies, axis=0)
        of_seeds = [by_seed[0] for by_seed in accuracies]
        published = f"{PUBLISHED[name]:.3f}" if name in PUBLISHED else "-"
        click.echo(
            f"{name:<22}{published:>9}  {overall:>10.3f} ({min(of_seeds):.3f}, "
            f"{max(of_seeds):.3f})    {one:>10.3f}  {several:>7.3f}  {by_first:>7.3f}"
        )
    click.echo(
        "It differs from ours: its features are totals of the months that also define "
        "the label,\nits baskets are net of later returns, and the label of customers "
        "with one basket is a\nfunction of the features."
    )


# -- the clusters of the notebook, from the first invoice


def show_clusters(
    lines: pd.DataFrame,
    baskets: pd.DataFrame,
    totals: pd.DataFrame,
    clusterings: list[Clusters],
) -> None:
    """Print how well the clusters of returning customers are predicted."""
    features = to_features(lines)
    futures = to_futures(baskets)
    futures = futures[futures.index.isin(features.index)]
    runs = [
        predict_clusters(features, totals, futures, clusters, seed)
        for seed, clusters in enumerate(clusterings)
    ]
    count = (totals["count"] > 1).sum()
    click.echo(
        f"\n{CLUSTERS} clusters from the first invoice, {count:,} returning customers, "
        f"80/20, {len(runs)} seeds\n(targets: accuracy 0.60, macro-F1 0.45; an earlier "
        "measurement: 0.535 and 0.368)"
    )
    show_runs(runs)
    show_ceiling(runs, FUTURES)


def predict_clusters(
    features: pd.DataFrame,
    totals: pd.DataFrame,
    futures: pd.DataFrame,
    clusters: Clusters,
    seed: int,
) -> Predicted:
    """Predict the clusters of returning customers in the test, in several ways.

    Parameters
    ----------
    features : pandas.DataFrame
        Of ``to_features``.
    totals : pandas.DataFrame
        The customers of the clusters, in their order.
    futures : pandas.DataFrame
        Of ``to_futures``, for invoices that have features.
    clusters : Clusters
        The target.
    seed : int
        Of the division into training and test.
    """
    labels = pd.Series(clusters.kmeans.labels_, totals.index).astype(str)
    returning = totals.index[totals["count"] > 1]
    segments = labels.loc[returning]
    first = features.groupby(level=0).head(1).droplevel(1).loc[returning]
    train, test = train_test_split(returning, test_size=TEST_SHARE, random_state=seed)
    actual, tested = segments.loc[test], first.loc[test]
    found = predict(first, segments, train, test)
    learned = futures[futures.index.get_level_values(0).isin(train)]
    forest = FutureForest(clusters)
    forest.fit(features.loc[learned.index].fillna(0), learned)
    spend = tested[SHARES].set_axis(CATEGORIES, axis=1).mul(tested["amount"], axis=0)
    by_futures = pd.DataFrame(
        forest.predict_proba(tested.fillna(0), spend.assign(amount=tested["amount"])),
        index=test,
        columns=[str(number) for number in range(CLUSTERS)],
    )
    vote = found[SOFT_VOTE][1].reindex(columns=by_futures.columns, fill_value=0.0)
    found[FUTURES] = actual, by_futures
    found[VOTE_AND_FUTURES] = actual, (vote + by_futures) / 2
    for name in (SOFT_VOTE, VOTE_AND_FUTURES):
        found[f"{name}, for F1"] = actual, weight_for_f1(found[name][1])
    with_count = first.assign(baskets=totals["count"])
    classifier = CLASSIFIERS["gradient_boosting"]()
    classifier.fit(with_count.loc[train], segments.loc[train])
    found[KNOWN_COUNT] = actual, classifier.predict_proba(with_count.loc[test])
    return found


def to_features(lines: pd.DataFrame) -> pd.DataFrame:
    """Return features of invoices as booked; later cancellations are ignored.

    Indexed by customer and invoice, sorted by customer and time.
    """
    bought = lines[(lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)]
    amounts = bought["Quantity"] * bought["UnitPrice"]
    bought = bought.assign(
        amount=amounts,
        squared=amounts**2,
        is_dozen=(bought["Quantity"] % 6 == 0) | (bought["Quantity"] % 10 == 0),
        **spend_by_category(amounts, product_categories(bought), SHARES),
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
        **{name: (name, "sum") for name in SHARES},
    )
    features[SHARES] = features[SHARES].div(features["amount"], axis=0)
    bought_at, country = features.pop("bought_at"), features.pop("country")
    features = features.assign(
        price_per_item=features["amount"] / features["items"],
        concentration=features["concentration"] / features["amount"] ** 2,
        max_share=features[SHARES].max(axis=1),
        is_domestic=(country == "United Kingdom").astype(float),
        hour=bought_at.dt.hour + bought_at.dt.minute / 60,
        weekday=bought_at.dt.day_of_week.astype(float),
        days_left=(TEST_FROM - bought_at).dt.days.astype(float),
    )
    order = pd.DataFrame({"at": bought_at}).reset_index()
    order = order.sort_values(["CustomerID", "at", "InvoiceNo"]).index
    return features.iloc[order]


# -- our segments, from the first transaction


def show_segments(connection: duckdb.DuckDBPyConnection, seeds: int) -> None:
    """Print how well the segments of returning customers are predicted."""
    settings = PredictionSettings.read(read_variables())
    data = SegmentData.read(*map(connection.table, TABLES), settings)
    for source_system, customers in data.customers.items():
        features = customers.rows.set_index("customer_key")[customers.features]
        for name in data.segmentations(source_system):
            targets = data.targets[source_system, name]
            returning = targets[targets["has_returned"]].set_index("customer_key")
            segments = returning["segment"]
            segments = segments[segments.index.isin(features.index)].sort_index()
            keys = segments.index.to_numpy(dtype=object)
            runs = [
                predict(
                    features,
                    segments,
                    *train_test_split(keys, test_size=TEST_SHARE, random_state=seed),
                )
                for seed in range(seeds)
            ]
            click.echo(
                f"\n{source_system} {name} from the first transaction, "
                f"{len(segments):,} returning customers, {segments.nunique()} "
                f"segments, 80/20, {seeds} seeds"
            )
            show_runs(runs)


# -- predictions and their metrics


def predict(
    features: pd.DataFrame, segments: pd.Series, train: Keys, test: Keys
) -> Predicted:
    """Return the actual segments of the test, and what each classifier predicts."""
    classifiers = fit_classifiers(features.loc[train], segments.loc[train])
    return {
        name: (segments.loc[test], one.predict_proba(features.loc[test]))
        for name, one in classifiers.items()
    }


def to_predicted_segments(
    segments: pd.Series, probabilities: pd.DataFrame
) -> PredictedSegments:
    """Return actual and predicted segments, sorted by customer."""
    segments = segments.sort_index()
    probabilities = probabilities.loc[segments.index]
    position = probabilities.columns.get_indexer(segments)
    of_actual = probabilities.to_numpy()[np.arange(len(segments)), position]
    return PredictedSegments.of(
        segments,
        most_probable(probabilities)["segment"],
        pd.Series(np.where(position < 0, 0.0, of_actual)),
    )


def show_runs(runs: list[Predicted]) -> None:
    """Print metrics of the classifiers, and the confusions of the soft vote.

    An interval is the mean of the bootstrap intervals of the seeds. More seeds do not
    make it narrower, because their tests share customers.
    """
    click.echo(
        f"{'':<26}accuracy [95 % interval] (minimum, maximum)   balanced  macro-F1 "
        "[interval]        log-loss"
    )
    for name in runs[0]:
        by_seed = [to_predicted_segments(*run[name]) for run in runs]
        found = pd.DataFrame([mean_quality([one]) for one in by_seed])
        means, accuracies = found.mean(), found["accuracy"]
        resampled = [bootstrap_means([one], RESAMPLES) for one in by_seed]
        low, high = (
            pd.DataFrame([one.quantile(end) for one in resampled]).mean()
            for end in (0.025, 0.975)
        )
        click.echo(
            f"{name:<26}{means['accuracy']:.4f} [{low['accuracy']:.3f}, "
            f"{high['accuracy']:.3f}] ({min(accuracies):.3f}, "
            f"{max(accuracies):.3f})      {means['balanced_accuracy']:.3f}     "
            f"{means['macro_f1']:.3f} [{low['macro_f1']:.3f}, "
            f"{high['macro_f1']:.3f}]    {means['log_loss']:.3f}"
        )
    click.echo("Actual (rows) and predicted segments (columns): soft vote, first seed")
    segments, probabilities = runs[0][SOFT_VOTE]
    guesses = most_probable(probabilities)["segment"]
    counts = pd.crosstab(segments, guesses, rownames=["actual"], colnames=["predicted"])
    columns = probabilities.columns.rename("predicted")
    click.echo(counts.reindex(columns=columns, fill_value=0).to_string())


def show_ceiling(runs: list[Predicted], name: str) -> None:
    """Print the metrics that a classifier could have, if it is calibrated."""
    expected, best = [], []
    for run in runs:
        segments, probabilities = run[name]
        expected.append(probabilities.max(axis=1).mean())
        best.append(np.mean(list(best_f1(segments, probabilities))))
    click.echo(
        f"Limits of {name}: its most probable clusters have an expected accuracy of "
        f"{np.mean(expected):.3f}.\nMacro-F1 would be {np.mean(best):.3f} if the "
        "threshold of each cluster were chosen on the test, and a customer\ncould be "
        "in several clusters."
    )


def weight_for_f1(probabilities: pd.DataFrame) -> pd.DataFrame:
    """Weight the probabilities so that the expected macro-F1 is at its maximum.

    The expectation uses the probabilities only, not the actual segments.
    """
    names = probabilities.columns[probabilities.sum() > 0]
    known = probabilities[names].to_numpy()
    rows = np.arange(len(known))

    def expected_f1(weights: NDArray[np.float64]) -> float:
        guessed = (known * weights).argmax(axis=1)
        hits = np.bincount(guessed, known[rows, guessed], len(names))
        predicted = np.bincount(guessed, minlength=len(names))
        return float((2 * hits / (predicted + known.sum(axis=0))).mean())

    weights = np.ones(len(names))
    for _ in range(WEIGHT_ROUNDS):
        for position in range(len(names)):
            expected = []
            for weight in WEIGHTS:
                weights[position] = weight
                expected.append(expected_f1(weights))
            weights[position] = WEIGHTS[int(np.argmax(expected))]
    product = known * weights
    return pd.DataFrame(
        product / product.sum(axis=1, keepdims=True), probabilities.index, names
    )


def best_f1(segments: pd.Series, probabilities: pd.DataFrame) -> Iterator[float]:
    """Yield the maximum F1 of each segment over all thresholds."""
    for name in segments.unique():
        order = np.argsort(-probabilities[name].to_numpy(), kind="stable")
        is_actual = (segments == name).to_numpy()[order]
        predicted = np.arange(1, len(segments) + 1)
        yield float((2 * np.cumsum(is_actual) / (predicted + is_actual.sum())).max())


if __name__ == "__main__":
    measure()
