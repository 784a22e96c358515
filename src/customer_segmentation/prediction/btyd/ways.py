"""How the history of a customer of Pareto/NBD may have come about."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.polynomial.legendre import leggauss

from customer_segmentation.prediction.btyd.histories import Numbers
from customer_segmentation.prediction.btyd.mixture import Mixture

__all__ = ["Ways"]

# of the integral over the time of leaving
NODES, WEIGHTS = leggauss(24)
# past exp(-TAIL) of its greatest value the integrand is left out
TAIL = 40.0


@dataclass(frozen=True)
class Ways:
    """How a history may have come about: not left, or left at one of k - 1 times.

    Given the rates, the likelihood is lambda^x exp(-(lambda + mu) T) for who has not
    left, plus the integral of lambda^x mu exp(-(lambda + mu) u) over the time u of
    leaving, from the last purchase to the end. The means over the rates are powers of
    alpha + u and beta + u. What is left, the integral over u, is the difference of two
    hypergeometric functions of the published form; here it is added up by the rule of
    Gauss and Legendre on a logarithmic scale, as long as the integrand takes to fall.
    It is positive throughout, so nothing cancels or overflows; it is exact to 1e-10.

    Parameters
    ----------
    times : array of shape (m, k)
        The end, and the times of leaving.
    mixture : Mixture
        Its first share is the probability that the customer has not left.
    """

    times: Numbers
    mixture: Mixture

    @classmethod
    def of(
        cls,
        purchases: Numbers,
        alpha: Numbers | float,
        s: float,
        beta: Numbers | float,
        start: Numbers,
        end: Numbers | float,
    ) -> Self:
        """Return the ways; `purchases` is r + x, `start` the last purchase."""
        steepness = purchases / (alpha + start) + (s + 1) / (beta + start)
        scale = np.minimum(1 / steepness, alpha + start)
        longest = np.minimum(
            (alpha + start) * np.expm1(np.minimum(TAIL / purchases, 99.0)),
            (beta + start) * np.expm1(np.minimum(TAIL / (s + 1), 99.0)),
        )
        span = np.log1p(np.minimum(end - start, longest) / scale)
        steps = span[:, np.newaxis] * (1 + NODES) / 2
        times = np.empty((len(start), 1 + len(NODES)))
        times[:, 0] = end
        times[:, 1:] = start[:, np.newaxis] + scale[:, np.newaxis] * np.expm1(steps)
        size = s * scale * span / 2
        size = np.log(size, where=size > 0, out=np.full_like(size, -np.inf))
        lasting = np.full(times.shape[1], s + 1)
        lasting[0] = s
        exponents = -purchases[:, np.newaxis] * np.log(_column(alpha) + times)
        exponents -= lasting * np.log(_column(beta) + times)
        exponents[:, 1:] += size[:, np.newaxis] + steps + np.log(WEIGHTS)
        return cls(times, Mixture.of(exponents))


def _column(values: Numbers | float) -> Numbers:
    return np.reshape(values, (-1, 1))
