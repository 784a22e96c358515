"""Customers drawn from the models, to measure fits and predictions by."""

from dataclasses import dataclass

import numpy as np

from customer_segmentation.prediction.btyd.bg_nbd import BgNbd
from customer_segmentation.prediction.btyd.histories import Numbers
from customer_segmentation.prediction.btyd.pareto_nbd import ParetoNbd

__all__ = ["Simulated", "simulate_bg_nbd", "simulate_pareto_nbd", "simulate_values"]


@dataclass(frozen=True)
class Simulated:
    """What n simulated customers did.

    Parameters
    ----------
    frequency, recency, age : array of shape (n,)
        The histories, as the models read them.
    purchases : array of shape (n,)
        How often each bought within the horizon after the end.
    """

    frequency: Numbers
    recency: Numbers
    age: Numbers
    purchases: Numbers


def simulate_bg_nbd(
    model: BgNbd, age: Numbers, horizon: float, rng: np.random.Generator
) -> Simulated:
    """Draw customers of BG/NBD.

    Parameters
    ----------
    model : BgNbd
    age : array of shape (n,)
        Time from each one's first purchase to the end.
    horizon : float
        How long they are followed after the end.
    rng : numpy.random.Generator
    """
    rate = rng.gamma(model.r, 1 / model.alpha, len(age))
    leaving = np.maximum(rng.beta(model.a, model.b, len(age)), 1e-12)
    # how often they would buy if they never left, and after which they leave
    wanted = rng.poisson(rate * age)
    last = rng.geometric(leaving)
    frequency = np.minimum(wanted, last)
    came = frequency > 0
    recency = np.zeros(len(age))
    # the k-th of n times that are uniform from 0 to 1
    order = frequency[came], (wanted - frequency + 1)[came]
    recency[came] = rng.beta(*order) * age[came]
    later = np.minimum(rng.poisson(rate * horizon), last - frequency)
    return Simulated(
        frequency.astype(float), recency, age.astype(float), later.astype(float)
    )


def simulate_pareto_nbd(
    model: ParetoNbd, age: Numbers, horizon: float, rng: np.random.Generator
) -> Simulated:
    """Draw customers of Pareto/NBD; the parameters are those of `simulate_bg_nbd`."""
    rate = rng.gamma(model.r, 1 / model.alpha, len(age))
    leaving = np.maximum(rng.gamma(model.s, 1 / model.beta, len(age)), 1e-300)
    lasting = rng.exponential(size=len(age)) / leaving
    active = np.minimum(lasting, age)
    frequency = rng.poisson(rate * active)
    came = frequency > 0
    recency = np.zeros(len(age))
    recency[came] = rng.beta(frequency[came], 1.0) * active[came]
    later = rng.poisson(rate * np.clip(lasting - age, 0.0, horizon))
    return Simulated(
        frequency.astype(float), recency, age.astype(float), later.astype(float)
    )


def simulate_values(
    p: float, q: float, v: float, frequency: Numbers, rng: np.random.Generator
) -> Numbers:
    """Draw the mean value of each customer's purchases from Gamma-Gamma.

    It is 0 where there is no purchase; shape (n,).
    """
    rate = rng.gamma(q, 1 / v, len(frequency))
    total = rng.gamma(p * frequency) / rate
    return np.divide(
        total, frequency, where=frequency > 0, out=np.zeros(len(frequency))
    )
