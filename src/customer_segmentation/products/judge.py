"""Judge: how stable categories are, and whether shuffled words give as clear ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from joblib import delayed
from sklearn.metrics import adjusted_rand_score, silhouette_score

from customer_segmentation.parallel import run_parallel
from customer_segmentation.products.kinds import NO_KINDS, Kinds
from customer_segmentation.products.space import Labels, Points, TermSpace
from customer_segmentation.products.topics import merge_topics, nearest
from customer_segmentation.products.words import is_kind

__all__ = ["Budget", "JudgedCategories", "choose_categories"]

Descriptions = Sequence[Sequence[str]]

SEED = 20_240_229
# resamples and null draws of so many products take a tenth of a second
RESAMPLED_PRODUCTS = 2_000
NULL_PRODUCTS = 1_000
QUICK_STARTS = 2
# stabilities that differ by less are equal
STABILITY_DECIMALS = 2


@dataclass(frozen=True)
class Budget:
    """How often the choice resamples, and how many null data sets are drawn."""

    resamples: int = 20
    null_draws: int = 99


@dataclass(frozen=True)
class JudgedCategories:
    """The chosen number of categories and its measures; None for one category.

    Parameters
    ----------
    centres : ndarray of shape (k, d)
        Of the categories.
    stability_mean, stability_min : float or None
        Agreement (adjusted Rand index) with fits to bootstrap resamples.
    seed_agreement : float or None
        Agreement with a fit of other random starts.
    silhouette : float or None
        Mean silhouette of the products by their words, without kinds.
    p_value : float or None
        Share of the null draws whose silhouette is at least that of the products.
    """

    centres: Points
    stability_mean: float | None = None
    stability_min: float | None = None
    seed_agreement: float | None = None
    silhouette: float | None = None
    p_value: float | None = None


def choose_categories(
    space: TermSpace,
    descriptions: Descriptions,
    ks: Sequence[int],
    budget: Budget,
    kinds: Kinds = NO_KINDS,
) -> JudgedCategories:
    """Choose the most stable number of categories, and compare it with null data.

    Parameters
    ----------
    space : TermSpace
        Fitted to the descriptions.
    descriptions : sequence of sequences of str
        The words of each product, and its kind.
    ks : sequence of int
        Numbers of categories to try, ascending; [1] judges nothing.
    budget : Budget
        How often to resample.
    kinds : Kinds
        What tells the kinds of null products, whose words are shuffled.

    Returns
    -------
    JudgedCategories
        Of equally stable numbers the larger one, which tells more.
    """
    points = space.transform(descriptions)
    known = points[points.any(axis=1)]
    if list(ks) == [1]:
        return JudgedCategories(known.mean(axis=0, keepdims=True))
    found = merge_topics(known, ks, SEED)
    # categories may lose their last product, and two numbers may then be one
    sample = _sample(descriptions, RESAMPLED_PRODUCTS)
    references = {k: nearest(space.transform(sample), found[k]).label for k in found}
    agreement = np.array(
        run_parallel(
            delayed(_resampled_agreement)(sample, references, number)
            for number in range(budget.resamples)
        )
    )
    ranked = [
        (round(float(mean), STABILITY_DECIMALS), k)
        for k, mean in zip(found, agreement.mean(axis=0), strict=True)
    ]
    _, k = max(ranked)
    column = list(found).index(k)
    other = merge_topics(known, [k], SEED + 1)[k]
    labels = nearest(known, found[k]).label
    sample = _sample(descriptions, NULL_PRODUCTS)
    observed = _silhouette(sample, k, 0)
    drawn = run_parallel(
        (
            delayed(_null_silhouette)(sample, k, number, kinds)
            for number in range(1, budget.null_draws + 1)
        ),
        batch_size=4,
    )
    return JudgedCategories(
        centres=found[k],
        stability_mean=float(agreement[:, column].mean()),
        stability_min=float(agreement[:, column].min()),
        seed_agreement=float(adjusted_rand_score(labels, nearest(known, other).label)),
        silhouette=observed,
        p_value=float((1 + sum(one >= observed for one in drawn)) / (1 + len(drawn))),
    )


def shuffle_words(descriptions: Descriptions, seed: int) -> list[list[str]]:
    """Deal all words anew: descriptions keep their lengths, words their frequencies.

    Examples
    --------
    >>> shuffled = shuffle_words([["tea", "cup"], ["tea"]], 1)
    >>> sorted(map(len, shuffled)), sorted(word for one in shuffled for word in one)
    ([1, 2], ['cup', 'tea', 'tea'])
    """
    words = [word for one in descriptions for word in one]
    order = np.random.default_rng([SEED, seed]).permutation(len(words))
    dealt = iter([words[place] for place in order])
    return [[next(dealt) for _ in one] for one in descriptions]


def _sample(descriptions: Descriptions, size: int) -> Descriptions:
    if len(descriptions) <= size:
        return descriptions
    rng = np.random.default_rng(SEED)
    rows = rng.choice(len(descriptions), size, replace=False)
    return [descriptions[row] for row in np.sort(rows)]


def _resampled_agreement(
    descriptions: Descriptions, references: Mapping[int, Labels], number: int
) -> list[float]:
    """Return how well a resample agrees with each number of categories."""
    rng = np.random.default_rng([SEED, 1, number])
    rows = rng.integers(len(descriptions), size=len(descriptions))
    drawn = [descriptions[row] for row in np.sort(rows)]
    space = TermSpace.fit(drawn)
    points = space.transform(drawn)
    points = points[points.any(axis=1)]
    distinct = len(np.unique(points, axis=0))
    ks = [k for k in references if k <= distinct]
    centres = merge_topics(points, ks, SEED + number, QUICK_STARTS) if ks else {}
    everyone = space.transform(descriptions)
    agreements = []
    for k, reference in references.items():
        if k not in centres:
            agreements.append(0.0)
            continue
        label = nearest(everyone, centres[k]).label
        both = (label >= 0) & (reference >= 0)
        agreements.append(float(adjusted_rand_score(reference[both], label[both])))
    return agreements


def _null_silhouette(
    descriptions: Descriptions, k: int, number: int, kinds: Kinds
) -> float:
    """Return the silhouette of shuffled words; they have kinds like all words."""
    shuffled = shuffle_words(_without_kinds(descriptions), number)
    described = [kinds.describe(" ".join(words)) for words in shuffled]
    return _silhouette(described, k, number)


def _without_kinds(descriptions: Descriptions) -> list[list[str]]:
    return [[word for word in one if not is_kind(word)] for one in descriptions]


def _silhouette(descriptions: Descriptions, k: int, seed: int) -> float:
    """Return the silhouette of k categories of these descriptions, fitted anew.

    Words alone measure it: products of one kind are near each other in any case.
    """
    points = TermSpace.fit(descriptions).transform(descriptions)
    words = _without_kinds(descriptions)
    positions = TermSpace.fit(words).transform(words)
    known = points.any(axis=1) & positions.any(axis=1)
    points, positions = points[known], positions[known]
    if len(np.unique(points, axis=0)) <= k:
        return 0.0
    label = nearest(points, merge_topics(points, [k], seed, QUICK_STARTS)[k]).label
    # the silhouette needs two categories
    if len(np.unique(label)) < 2:
        return 0.0
    return float(silhouette_score(positions, label))
