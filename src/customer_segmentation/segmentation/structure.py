"""Structure: candidates compared with null data, which have none.

The statistic of a candidate is its silhouette, on the data and on null data that are
fitted alike. Some of many candidates find structure even in noise, so the p-values are
those of the maximum over all candidates (Westfall & Young 1993, step one). Each
silhouette is standardised by its null draws. The settings of a density method, which
often find one cluster, are standardised together. Then a candidate is compared with the
largest standardised silhouette of each draw.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from customer_segmentation.segmentation.weighted import Points

# silhouettes that differ by rounding are equal
DECIMALS = 9


@dataclass(frozen=True)
class NullTest:
    """Candidates compared with null draws; ``nan`` for one cluster on the data.

    Parameters
    ----------
    p_values : ndarray of shape (c,)
        Share of the draws (and the data) whose largest standardised silhouette is at
        least the candidate's; at least 1 / (draws + 1).
    excess : ndarray of shape (c,)
        The silhouette less the mean of the null draws, in their standard deviations.
    largest : ndarray of shape (b + 1,)
        Largest standardised silhouette of the data, and of each draw.
    """

    p_values: NDArray[np.float64]
    excess: NDArray[np.float64]
    largest: NDArray[np.float64]

    def is_close(self, share: float) -> bool:
        """Whether other draws could tell otherwise of the best candidate.

        They could if at most a share of the draws is as high, unless the data are
        higher than all draws by more than one of their standard deviations.
        """
        of_data, of_draws = self.largest[0], self.largest[1:]
        found = of_draws[np.isfinite(of_draws)]
        if not np.isfinite(of_data) or len(found) == 0:
            return False
        is_clear = of_data > found.max() + found.std()
        return bool((of_draws >= of_data).mean() <= share and not is_clear)


def compare_with_null(
    observed: Points, drawn: Points, groups: Sequence[Sequence[int]] | None = None
) -> NullTest:
    """Compare silhouettes with those of null draws, for all candidates at once.

    Parameters
    ----------
    observed : ndarray of shape (c,)
        Silhouette of each candidate on the data; ``nan`` for one cluster.
    drawn : ndarray of shape (b, c)
        The same on each null draw.
    groups : sequence of sequences of int, optional
        For each candidate, the candidates it is standardised with; by default itself.
        Density settings often find one cluster, and the standard deviation of the few
        draws with more clusters means nothing.

    Examples
    --------
    >>> drawn = np.array([[0.2], [0.3], [0.25], [0.25]])
    >>> compare_with_null(np.array([0.6]), drawn).p_values.tolist()
    [0.2]
    """
    statistics = np.vstack([observed, drawn]).round(DECIMALS)
    # one cluster separates nothing
    standardised = np.full(statistics.shape, -np.inf)
    excess = np.full(len(observed), np.nan)
    for candidate in range(len(observed)):
        group = [candidate] if groups is None else list(groups[candidate])
        pooled = statistics[:, group]
        pooled = pooled[np.isfinite(pooled)]
        is_found = np.isfinite(statistics[:, candidate])
        if len(pooled) > 0:
            found = statistics[is_found, candidate]
            scale = _standard_deviation(pooled)
            standardised[is_found, candidate] = (found - pooled.mean()) / scale
        of_draws = np.nan_to_num(statistics[1:, candidate])
        if is_found[0]:
            difference = statistics[0, candidate] - of_draws.mean()
            excess[candidate] = difference / _standard_deviation(of_draws)
    largest = standardised.max(axis=1)
    p_values = (largest[:, None] >= standardised[0]).mean(axis=0)
    p_values = np.where(np.isfinite(observed), p_values, np.nan)
    return NullTest(p_values, excess, largest)


def _standard_deviation(statistics: Points) -> float:
    deviation = float(statistics.std())
    return deviation if deviation > 10.0**-DECIMALS else 1.0
