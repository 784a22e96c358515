"""Customers drawn from the buy-till-you-die models, with their later purchases."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from customer_segmentation.prediction.btyd import BgNbd, GammaGamma, ParetoNbd
from customer_segmentation.prediction.feature_kinds import Numbers

__all__ = [
    "Simulated",
    "parameters_of",
    "simulate_bg_nbd",
    "simulate_pareto_nbd",
    "simulate_values",
    "with_parameters",
]

Model = TypeVar("Model", BgNbd, ParetoNbd, GammaGamma)


def with_parameters(model: type[Model], *parameters: float) -> Model:
    """Return a model with known parameters, as if it had been fitted."""
    known = model()
    for name, value in zip(model.PARAMETERS, parameters, strict=True):
        setattr(known, f"{name}_", value)
    return known


def parameters_of(fitted: BgNbd | ParetoNbd | GammaGamma) -> dict[str, float]:
    """Return the parameters of a fitted model, by name."""
    return {name: getattr(fitted, f"{name}_") for name in fitted.PARAMETERS}


@dataclass(frozen=True)
class Simulated:
    """Histories and later purchases of n simulated customers.

    Parameters
    ----------
    frequency, recency, age : array of shape (n,)
        The histories, as the models read them.
    purchases : array of shape (n,)
        Purchases within the horizon after the end.
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
        Time from the first purchase of each customer to the end.
    horizon : float
        Length of the time after the end.
    rng : numpy.random.Generator
    """
    rate = rng.gamma(model.r_, 1 / model.alpha_, len(age))
    leaving = np.maximum(rng.beta(model.a_, model.b_, len(age)), 1e-12)
    # purchases of customers who never leave, and the purchase after which they leave
    wanted = rng.poisson(rate * age)
    last = rng.geometric(leaving)
    frequency = np.minimum(wanted, last)
    came = frequency > 0
    recency = np.zeros(len(age))
    # the k-th of n times that are uniform between 0 and 1
    order = frequency[came], (wanted - frequency + 1)[came]
    recency[came] = rng.beta(*order) * age[came]
    later = np.minimum(rng.poisson(rate * horizon), last - frequency)
    return Simulated(
        frequency.astype(float), recency, age.astype(float), later.astype(float)
    )


def simulate_pareto_nbd(
    model: ParetoNbd, age: Numbers, horizon: float, rng: np.random.Generator
) -> Simulated:
    """Draw customers of Pareto/NBD; the parameters are as in ``simulate_bg_nbd``."""
    rate = rng.gamma(model.r_, 1 / model.alpha_, len(age))
    leaving = np.maximum(rng.gamma(model.s_, 1 / model.beta_, len(age)), 1e-300)
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
