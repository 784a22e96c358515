"""How complex candidates are: of equally good ones the simplest is used."""

from enum import IntEnum

__all__ = ["Complexity"]


class Complexity(IntEnum):
    """What a candidate learns, from the simplest on.

    Two candidates of the same complexity are told apart by their loss.
    """

    BASELINE = 0
    """Nothing but means or shares."""
    FEW_PARAMETERS = 1
    """A handful of numbers that have a meaning."""
    LINEAR = 2
    """A weight for each feature."""
    NONLINEAR = 3
    """A curve, a tree, or the customers themselves."""
    ENSEMBLE = 4
    """Many models."""
