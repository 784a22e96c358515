"""The spend of one customer as a distribution: its median and its 80 % interval."""

from typing import NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge

from customer_segmentation.prediction.feature_kinds import Numbers
from customer_segmentation.prediction.purchases.expected import (
    EventProbability,
    Expected,
)

__all__ = ["COVERAGE", "Interval", "SpendQuantiles"]

COVERAGE = 0.8
TAIL = (1 - COVERAGE) / 2
# levels whose quantiles are published: low, median, high if customers may spend
# nothing, high if they hardly do
LEVELS = np.array([TAIL, 0.5, COVERAGE, 1 - TAIL])
# certain predictions have no logit
MIN_PROBABILITY = 0.003
# share of the mean that is added to each expectation, so that 0 has a logarithm
OFFSET = 0.02
# lower probabilities of return than this share of customers has count as that of the
# share: a model that drifts sees too many who never return
RARE = 0.05
# quantiles of the expectations at which a slope may change: of the probability of
# return, of the spend
KNOTS = ((0, 0.5), (1, 0.5), (1, 0.9))
# inverse penalty of the probability, and penalties of location and scale
PROBABILITY_C, LOCATION_PENALTY, SCALE_PENALTY = 0.3, 3.0, 10.0
# added to a residual before its logarithm
MIN_RESIDUAL = 0.05
# quantiles that the distribution of the residuals is stored as
RESIDUALS = (np.arange(200) + 0.5) / 200
# cells of similar probabilities of spending nothing, and how many customers the
# levels of a model that is calibrated by itself count as
CELL_SIZE, MAX_CELLS, SHRINKAGE = 200, 8, 100.0
GOLDEN = 0.6180339887498949
TINY = 1e-9


class Interval(NamedTuple):
    """Quantiles of the spend of n customers, in ascending order.

    Parameters
    ----------
    low, median, high : ndarray of shape (n,)
        Ends of the 80 % interval, and the middle of the distribution; never below 0.
    """

    low: Numbers
    median: Numbers
    high: Numbers


class SpendQuantiles(BaseEstimator):
    """Quantiles of a mixture: nothing, or an amount around a location.

    Three things depend on what a model expects of a customer: the probability of
    spending nothing, the middle of the logarithm of the spend of those who spend, and
    how far they lie from it. Each is a regression on the logit of the return
    probability, and on the logarithms of expected spend and purchases. The residuals
    have the shape of those learned from, not a normal one.

    Then the levels of the quantiles are calibrated (Kuleshov et al. 2018, "Accurate
    uncertainties", arXiv:1807.00263), in cells of customers who spend nothing with a
    similar probability (Mondrian; Vovk et al. 2005, "Algorithmic learning in a random
    world"). In each cell, the level that holds 80 % of the outcomes becomes the level
    of 80 %, shrunk towards the level of the mixture. The same customers fit the
    mixture, so there is no guarantee. Back-tests measure the coverage of others.

    Customers who spend nothing with a probability of at least a tenth have an interval
    from 0 to the quantile ``COVERAGE``. Others leave out a tenth on either side.

    Attributes
    ----------
    offsets_ : ndarray of shape (2,)
        Added to the expected spend and to the expected purchases.
    minima_, maxima_ : ndarray of shape (3,)
        Range of the logit and the logarithms. Outside it, slopes end.
    knots_ : ndarray of shape (knots,)
        Where slopes change.
    means_, scales_ : ndarray of shape (3 + knots,)
        Of the columns, to standardise them.
    spends_ : EventProbability
        The probability of spending anything.
    location_, scale_ : Ridge or None
        Of the logarithm of the spend; None if nobody spent anything.
    scale_range_ : ndarray of shape (2,)
        Logarithms of the smallest and the largest scale.
    residuals_ : ndarray of shape (200,)
        Quantiles of the residuals, in units of the scale.
    cells_ : ndarray of shape (cells,)
        Median probability of spending nothing of each cell.
    levels_ : ndarray of shape (cells, 4)
        What ``LEVELS`` are in each cell.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> often = np.repeat([0.5, 0.99], 500)
    >>> spent = np.where(rng.random(1000) < often, rng.lognormal(3, 0.5, 1000), 0)
    >>> expected = Expected(often, 2 * often, 20 * often)
    >>> found = SpendQuantiles().fit(expected, spent).predict(expected)
    >>> bool(found.low[0] == 0), bool(found.low[-1] > 5)
    (True, True)
    >>> bool(found.high[0] < found.high[-1])
    True
    """

    def fit(self, expected: Expected, actual: Numbers) -> Self:
        """Learn from out-of-fold expectations of n customers.

        Parameters
        ----------
        expected : Expected
            With the spend, of at least one customer; no number below 0.
        actual : ndarray of shape (n,)
            What they spent; no number below 0.
        """
        # a sum depends on the order of its terms
        spend = _spend_of(expected)
        order = np.lexsort((actual, spend, *expected[:2]))
        returns, purchases = (one[order] for one in expected[:2])
        expected, actual = Expected(returns, purchases, spend[order]), actual[order]
        columns = self._fit_columns(expected)
        has_spent = actual > 0
        self.spends_ = EventProbability(PROBABILITY_C).fit(columns, has_spent)
        self.location_: Ridge | None = None
        self.cells_, self.levels_ = np.zeros(1), LEVELS[np.newaxis]
        if not has_spent.any():
            return self
        log, of_spenders = np.log(actual[has_spent]), columns[has_spent]
        self.location_ = Ridge(LOCATION_PENALTY).fit(of_spenders, log)
        residuals = log - self.location_.predict(of_spenders)
        sizes = np.log(np.abs(residuals) + MIN_RESIDUAL)
        self.scale_: Ridge = Ridge(SCALE_PENALTY).fit(of_spenders, sizes)
        found = self.scale_.predict(of_spenders)
        self.scale_range_ = np.quantile(found, [0.01, 0.99])
        residuals = residuals / np.exp(np.clip(found, *self.scale_range_))
        self.residuals_ = np.quantile(residuals, RESIDUALS)
        self._fit_levels(expected, actual)
        return self

    def predict(self, expected: Expected) -> Interval:
        """Return the quantiles of n customers.

        Parameters
        ----------
        expected : Expected
            With the spend; no number below 0.
        """
        count = len(expected.return_probability)
        if self.location_ is None:
            return Interval(*np.zeros((3, count)))
        nothing, location, scale = self._parts(expected)
        low, median, high, high_if_certain = (
            self._quantile(
                np.interp(nothing, self.cells_, level), nothing, location, scale
            )
            for level in self.levels_.T
        )
        may_spend_nothing = nothing >= TAIL
        return Interval(
            np.where(may_spend_nothing, 0.0, low),
            median,
            np.where(may_spend_nothing, high, high_if_certain),
        )

    def _fit_columns(self, expected: Expected) -> Numbers:
        self.offsets_ = np.array(
            [
                OFFSET * one.mean() if one.any() else 1.0
                for one in (_spend_of(expected), expected.purchases)
            ]
        )
        logs = self._logs(expected)
        self.minima_, self.maxima_ = logs.min(axis=0), logs.max(axis=0)
        self.minima_[0] = np.quantile(logs[:, 0], RARE)
        self.knots_ = np.array(
            [np.quantile(logs[:, column], share) for column, share in KNOTS]
        )
        columns = self._with_knots(logs)
        self.means_ = columns.mean(axis=0)
        scales = columns.std(axis=0)
        # what is equal for all customers tells nothing
        self.scales_ = np.where(scales > TINY, scales, 1.0)
        return self._standardised(logs)

    def _fit_levels(self, expected: Expected, actual: Numbers) -> None:
        """Find in each cell the levels that the outcomes really have."""
        nothing, location, scale = self._parts(expected)
        has_spent = actual > 0
        log = np.log(np.where(has_spent, actual, 1.0))
        among_spenders = np.interp((log - location) / scale, self.residuals_, RESIDUALS)
        # outcomes of nothing lie anywhere in the mass at 0: they are spread evenly; and
        # where customers are alike, each cell has its share of every outcome
        spread = np.arange(len(actual)) * GOLDEN % 1
        order = np.lexsort((spread, nothing))
        spread[order] = np.arange(len(actual)) * GOLDEN % 1
        levels = np.where(
            has_spent, nothing + (1 - nothing) * among_spenders, nothing * spread
        )
        count = int(np.clip(len(order) // CELL_SIZE, 1, MAX_CELLS))
        found: dict[float, Numbers] = {}
        for cell in np.array_split(order, count):
            middle = float(np.median(nothing[cell]))
            # several cells of equal probabilities are one cell
            is_equal = nothing == middle
            own = levels[is_equal] if is_equal.sum() >= len(cell) else levels[cell]
            weight = len(own) / (len(own) + SHRINKAGE)
            found[middle] = weight * np.quantile(own, LEVELS) + (1 - weight) * LEVELS
        self.cells_, self.levels_ = np.array(list(found)), np.array([*found.values()])

    def _parts(self, expected: Expected) -> tuple[Numbers, Numbers, Numbers]:
        """Return the probability of nothing, and location and scale of the spend."""
        assert self.location_ is not None
        logs = self._logs(expected)
        columns = self._standardised(logs)
        # beyond the spend that was learned from, the interval grows with it
        beyond = logs[:, 1] - np.clip(logs[:, 1], self.minima_[1], self.maxima_[1])
        location = self.location_.predict(columns) + beyond
        scale = np.exp(np.clip(self.scale_.predict(columns), *self.scale_range_))
        return 1 - self.spends_.predict(columns), location, scale

    def _quantile(
        self, level: Numbers, nothing: Numbers, location: Numbers, scale: Numbers
    ) -> Numbers:
        among_spenders = np.maximum(level - nothing, 0.0) / np.maximum(
            1 - nothing, 1e-9
        )
        residual = np.interp(among_spenders, RESIDUALS, self.residuals_)
        return np.where(level <= nothing, 0.0, np.exp(location + scale * residual))

    def _logs(self, expected: Expected) -> Numbers:
        returns = np.clip(
            expected.return_probability, MIN_PROBABILITY, 1 - MIN_PROBABILITY
        )
        return np.column_stack(
            [
                np.log(returns / (1 - returns)),
                np.log(_spend_of(expected) + self.offsets_[0]),
                np.log(expected.purchases + self.offsets_[1]),
            ]
        )

    def _with_knots(self, logs: Numbers) -> Numbers:
        inside = np.clip(logs, self.minima_, self.maxima_)
        above = [
            np.maximum(inside[:, column] - knot, 0.0)
            for (column, _), knot in zip(KNOTS, self.knots_, strict=True)
        ]
        return np.column_stack([inside, *above])

    def _standardised(self, logs: Numbers) -> Numbers:
        standardised: Numbers = (self._with_knots(logs) - self.means_) / self.scales_
        return standardised


def _spend_of(expected: Expected) -> Numbers:
    assert expected.spend is not None
    return expected.spend
