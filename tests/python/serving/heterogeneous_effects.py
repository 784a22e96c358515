"""Campaigns whose effect differs from customer to customer, and is known.

Nothing here is shared with the code under test, or with the simulated sample.
"""

from dataclasses import dataclass

import numpy as np

KINDS = ("lapsed", "same", "none", "valuable")


@dataclass(frozen=True)
class Drawn:
    """Customers of a campaign.

    Parameters
    ----------
    features : numpy.ndarray of shape (customers, 4)
        Spend and purchases before, days since the last and since the first purchase.
    is_treated, bought : numpy.ndarray of shape (customers,)
        Whether the customer was written to, and bought.
    uplift : numpy.ndarray of shape (customers,)
        The true effect on the probability of a purchase.
    """

    features: np.ndarray
    is_treated: np.ndarray
    bought: np.ndarray
    uplift: np.ndarray


def draw(kind: str, customers: int, seed: int, *, treated_share: float = 0.5) -> Drawn:
    """Draw a campaign.

    Parameters
    ----------
    kind : str
        Who gains: ``lapsed`` customers only, all the ``same``, ``none``, or the more
        ``valuable`` the more.
    customers, seed : int
        Number of customers, and the seed.
    treated_share : float
        Share of the customers who are written to.
    """
    rng = np.random.default_rng(seed)
    purchases = 1 + rng.negative_binomial(1, 0.25, customers)
    spend = purchases * rng.gamma(2, 25, customers)
    age = rng.integers(60, 730, customers)
    recency = (age * rng.beta(1, 1 + purchases / 2, customers)).astype(int)
    rate = np.clip(0.5 * np.exp(-recency / 90) + 0.02 * np.minimum(purchases, 10), 0, 1)
    rank = spend.argsort().argsort() / customers
    uplift = {
        "lapsed": np.where(recency > 90, 0.15, 0.0),
        "same": np.full(customers, 0.05),
        "none": np.zeros(customers),
        "valuable": 0.2 * rank,
    }[kind]
    is_treated = rng.random(customers) < treated_share
    bought = rng.random(customers) < np.clip(rate + is_treated * uplift, 0, 1)
    return Drawn(
        np.column_stack([spend, purchases, recency, age]).astype(float),
        is_treated,
        bought.astype(float),
        uplift,
    )
