"""The dip is that of its definition, and its p-values are those of uniform numbers."""

import numpy as np
import pytest
from scipy.optimize import linprog

from customer_segmentation.segmentation.dip import Numbers, dip, dip_p_value


def dip_by_definition(ordered: Numbers) -> float:
    """Return the least distance to distributions with a mode in each place.

    A distribution with its mode between two numbers is convex up to one of them, and
    concave from the other. A linear program finds its values at the numbers.
    """
    n = len(ordered)
    slopes = np.zeros((n - 1, n + 1))
    for place, width in enumerate(np.diff(ordered)):
        slopes[place, [place, place + 1]] = -1 / width, 1 / width
    bends = np.diff(slopes, axis=0)
    steps = np.arange(n + 1) / n
    # the distribution is within the distance of the steps before and after each number
    near = np.zeros((2 * n, n + 1))
    near[:n, :n], near[n:, :n], near[:, n] = np.eye(n), -np.eye(n), -1
    bounds = np.concatenate([steps[:-1], -steps[1:]])
    least = np.inf
    for mode in range(n - 1):
        signed = bends.copy()
        # slopes rise up to the mode, and fall after it
        signed[:mode] *= -1
        above = np.vstack([near, signed, -slopes])
        limits = np.concatenate([bounds, np.zeros(len(above) - 2 * n)])
        found = linprog(np.append(np.zeros(n), 1), above, limits, bounds=(0, 1))
        least = min(least, found.fun)
    return least


@pytest.mark.parametrize("seed", range(12))
def test_the_dip_is_that_of_its_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 30))
    numbers = rng.normal(size=n) + 5 * (rng.uniform(size=n) < 0.3 * (seed % 3))
    ordered = np.sort(numbers)
    assert dip(ordered) == pytest.approx(dip_by_definition(ordered), abs=1e-7)


def test_the_dip_of_two_places_is_largest() -> None:
    two_places = np.append(np.linspace(0, 1e-3, 50), np.linspace(1, 1.001, 50))
    assert dip(two_places) == pytest.approx(0.25, abs=0.01)
    assert dip(np.zeros(20)) == 1 / 40
    assert dip(10 + 3 * two_places) == pytest.approx(dip(two_places))


@pytest.mark.parametrize("count", [10, 37, 50, 200])
def test_uniform_numbers_are_seldom_called_two_groups(count: int) -> None:
    rng = np.random.default_rng(0)
    p_values = [dip_p_value(np.sort(rng.uniform(size=count))) for _ in range(1_000)]
    for level in (0.05, 0.2, 0.5):
        assert np.mean(np.array(p_values) <= level) < level + 0.03
    normal = [dip_p_value(np.sort(rng.normal(size=count))) for _ in range(200)]
    assert np.mean(normal) > np.mean(p_values)
