"""Champion and challenger: which of two models of a purpose to use."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from customer_segmentation import engine
from customer_segmentation.errors import InputError
from customer_segmentation.prediction.entries import ModelEntry, Purpose, Trained

__all__ = [
    "Backtest",
    "Choice",
    "Measure",
    "champions_of",
    "has_challenged",
    "is_better",
    "read_choices",
    "replaces",
]

CHOICES = ["source_system", "task", "population", "algorithm", "baseline"]
EVALUATIONS = [
    *("source_system", "task", "population", "algorithm", "horizon_days", "metric"),
    *("is_higher_better", "value"),
]

# floating-point sums differ between machines; closer values are equal
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Measure:
    """The value of a metric.

    Parameters
    ----------
    value : float
        ``nan`` where the metric is not defined.
    is_higher_better : bool
        False for errors.
    """

    value: float
    is_higher_better: bool

    def beats(self, other: "Measure") -> bool:
        """Return whether it is better by more than rounding; ``nan`` is the worst."""
        if math.isnan(self.value) or math.isnan(other.value):
            return math.isnan(other.value) and not math.isnan(self.value)
        if math.isclose(self.value, other.value, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            return False
        return (self.value > other.value) == self.is_higher_better


Measures = Mapping[str, Measure]


@dataclass(frozen=True)
class Choice:
    """The candidate that is chosen for a purpose, whatever its horizon.

    Parameters
    ----------
    algorithm, baseline : str
        The candidate, and the baseline that it is compared with.
    measures : mapping of str to Measures
        By candidate: the selection metrics by horizon and name, as in
        ``90.spend_spearman``.
    """

    algorithm: str
    baseline: str
    measures: Mapping[str, Measures]

    def metrics(self, algorithm: str) -> dict[str, float]:
        """Return the values of the selection metrics of a candidate."""
        measures = self.measures.get(algorithm, {})
        return {name: measure.value for name, measure in measures.items()}


@dataclass(frozen=True)
class Backtest:
    """How well an algorithm predicts customers that it did not learn from.

    Parameters
    ----------
    algorithm : str
        Name of the candidate, with its settings of today.
    trained_as_of : date
        The as-of date of the model: of the challenger to be registered, or of the
        registered champion.
    measures : mapping of str to Measure
        By name of the metric.
    """

    algorithm: str
    trained_as_of: date
    measures: Measures


def read_choices(
    evaluations: engine.Relation, choices: engine.Relation
) -> dict[tuple[str, str, str], Choice]:
    """Read what is chosen, by source system, task and population.

    Parameters
    ----------
    evaluations, choices : engine.Relation
        ``int_prediction__evaluations`` and ``int_prediction__choices``.
    """
    rows = engine.read(
        evaluations,
        EVALUATIONS,
        order_by="algorithm",
        where={"split": "selection", "is_selection_metric": True},
    )
    measures: dict[tuple[str, ...], dict[str, dict[str, Measure]]] = {}
    for *key, algorithm, horizon, metric, is_higher_better, value in rows[
        rows["value"].notna()
    ].itertuples(index=False):
        of_algorithm = measures.setdefault(tuple(key), {}).setdefault(algorithm, {})
        of_algorithm[f"{horizon}.{metric}"] = Measure(value, bool(is_higher_better))
    chosen = engine.read(choices, CHOICES, order_by="task")
    return {
        (source_system, task, population): Choice(
            algorithm, baseline, measures.get((source_system, task, population), {})
        )
        for source_system, task, population, algorithm, baseline in chosen.itertuples(
            index=False
        )
    }


def is_better(challenger: Trained, champion: ModelEntry, choice: Choice) -> bool:
    """Return whether a challenger replaces the champion, by the metrics of both.

    A champion whose algorithm is no longer a candidate cannot be tested, and is
    replaced.
    """
    models = (challenger, champion)
    measures = [choice.measures.get(one.recipe.algorithm, {}) for one in models]
    common = set(measures[0]) & set(measures[1])
    if not common:
        return True
    return replaces(
        *(
            Backtest(
                algorithm=one.recipe.algorithm,
                trained_as_of=one.trained_as_of,
                measures={name: of_one[name] for name in common},
            )
            for one, of_one in zip(models, measures, strict=True)
        )
    )


def replaces(challenger: Backtest, champion: Backtest) -> bool:
    """Return whether a challenger replaces the champion.

    It does if it is better on more than half of the metrics; a draw keeps the champion.
    A challenger of the same algorithm has the same back-test. It replaces the champion
    unless it is older, because recent customers resemble the next ones most.

    Parameters
    ----------
    challenger, champion : Backtest
        On the same customers, with the same metrics.

    Raises
    ------
    InputError
        If the metrics differ, or there are none.
    """
    directions = [
        {name: measure.is_higher_better for name, measure in one.measures.items()}
        for one in (challenger, champion)
    ]
    if directions[0] != directions[1] or not directions[0]:
        raise InputError(
            f"{challenger.algorithm} against {champion.algorithm}: the metrics are "
            f"{_named(challenger)} and {_named(champion)}; give both the same metrics"
        )
    if challenger.algorithm == champion.algorithm:
        return challenger.trained_as_of >= champion.trained_as_of
    wins = sum(
        measure.beats(champion.measures[name])
        for name, measure in challenger.measures.items()
    )
    return 2 * wins > len(challenger.measures)


def has_challenged(
    champion: ModelEntry, fingerprint: str, entries: Iterable[ModelEntry]
) -> bool:
    """Return whether the same model is the champion already, or has lost to it.

    Then it need not be trained again. A model that was champion earlier, or lost to an
    earlier champion, may win now.

    Parameters
    ----------
    champion : ModelEntry
        The champion of a purpose.
    fingerprint : str
        Of the model that might be trained, from ``training_fingerprint``.
    entries : iterable of ModelEntry
        The registry so far.
    """
    return any(
        entry.purpose == champion.purpose
        and entry.sequence >= champion.sequence
        and entry.fingerprint == fingerprint
        for entry in entries
    )


def champions_of(entries: Iterable[ModelEntry]) -> dict[Purpose, ModelEntry]:
    """Return the champion of each purpose: the last promoted model.

    Later as-of dates count first, because a build of an earlier date registers its
    models too.
    """
    in_order = sorted(entries, key=lambda entry: (entry.trained_as_of, entry.sequence))
    return {entry.purpose: entry for entry in in_order if entry.is_promoted}


def _named(backtest: Backtest) -> str:
    return ", ".join(sorted(backtest.measures)) or "none"
