"""Explain: rules in words that say which customers are in a segment."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from customer_segmentation.segmentation.declare import SEED
from customer_segmentation.segmentation.rule_tree import (
    SplitTest,
    Table,
    TreeNode,
    Values,
    grow_leaves,
)
from customer_segmentation.segmentation.weighted import Labels

# more customers give the same rules, and take longer
TRAINING_ROWS = 50_000
MISSING = "missing"


@dataclass(frozen=True)
class Rule:
    """A rule, and how well it describes its segment.

    Parameters
    ----------
    segment_id : int
        The segment of most customers for whom the rule holds.
    text : str
        Conditions joined by ``and``, in the units of the features.
    customers : int
        Number of customers for whom it holds.
    precision : float
        Share of these customers that are in the segment.
    coverage : float
        Share of the customers of the segment for whom the rule holds.
    """

    segment_id: int
    text: str
    customers: int
    precision: float
    coverage: float


@dataclass(frozen=True)
class RuleSet:
    """The rules of a segmentation. Exactly one of them holds for each customer.

    Parameters
    ----------
    rules : tuple of Rule
        By segment, then by number of customers, largest first.
    fidelity : float
        Share of the customers whose segment the rules predict; nan without customers.
    """

    rules: tuple[Rule, ...]
    fidelity: float


def shallow_rules(
    frame: pd.DataFrame, segments: Labels, max_conditions: int = 3
) -> RuleSet:
    """Describe segments by rules of a few conditions on the features of customers.

    The rules are the leaves of a decision tree. A path may split a feature several
    times, because ``30 < recency_days <= 90`` is one condition.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n, d)
        Features in their own units, finite: numbers, or categories as text or booleans.
        A missing number counts as the median, a missing category as ``missing``.
    segments : ndarray of shape (n,)
        The segment of each customer, 0 for outliers.
    max_conditions : int
        Maximum number of conditions of a rule.

    Returns
    -------
    RuleSet
        Measured on all n customers.

    Examples
    --------
    >>> frame = pd.DataFrame({"recency_days": [1, 25, 31, 88] * 20})
    >>> found = shallow_rules(frame, np.array([1, 1, 2, 2] * 20))
    >>> [(rule.segment_id, rule.text) for rule in found.rules]
    [(1, 'recency_days <= 30'), (2, 'recency_days > 30')]
    """
    if frame.empty:
        return RuleSet((), float("nan"))
    table = {str(name): _readable(column) for name, column in frame.items()}
    rows = np.arange(len(frame))
    if len(rows) > TRAINING_ROWS:
        rng = np.random.default_rng(SEED)
        rows = np.sort(rng.choice(rows, TRAINING_ROWS, replace=False))
    training = {name: values[rows] for name, values in table.items()}
    leaves = grow_leaves(training, segments[rows], max_conditions)
    rules = [_measure(leaf, table, segments) for leaf in leaves]
    rules.sort(key=lambda rule: (rule.segment_id, -rule.customers, rule.text))
    correct = sum(round(rule.precision * rule.customers) for rule in rules)
    return RuleSet(tuple(rules), correct / len(frame))


def _readable(column: pd.Series) -> Values:
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        numbers = pd.Series(column.to_numpy(dtype=float, na_value=np.nan))
        median = numbers.median() if numbers.notna().any() else 0.0
        return np.asarray(numbers.fillna(median))
    texts = column.astype(object).where(column.notna(), MISSING)
    return np.array(texts.astype(str), dtype=str)


def _describe(feature: str, tests: Sequence[SplitTest], values: Values) -> str:
    """Return the tests of one feature on a path as one condition."""
    above = [test.split_at for test in tests if test.is_above]
    below = [test.split_at for test in tests if not test.is_above]
    if isinstance(tests[0].split_at, str):
        known = set(values.tolist())
        left = set(above) or known - set(below)
        if len(left) <= len(known) - len(left):
            return f"{feature} is {' or '.join(sorted(left))}"
        return f"{feature} is not {' or '.join(sorted(below))}"
    if not above:
        return f"{feature} <= {_written(min(below))}"
    if not below:
        return f"{feature} > {_written(max(above))}"
    return f"{_written(max(above))} < {feature} <= {_written(min(below))}"


def _written(number: float) -> str:
    return np.format_float_positional(number, trim="-")


def _measure(leaf: TreeNode, table: Table, segments: Labels) -> Rule:
    """Return the rule of a leaf, measured on all customers."""
    holds = np.ones(len(segments), dtype=bool)
    tests: dict[str, list[SplitTest]] = {}
    for test in leaf.path:
        holds &= test.holds(table[test.feature])
        tests.setdefault(test.feature, []).append(test)
    is_in_segment = segments == leaf.segment
    customers = int(holds.sum())
    correct = int((holds & is_in_segment).sum())
    conditions = [_describe(name, found, table[name]) for name, found in tests.items()]
    return Rule(
        segment_id=leaf.segment,
        text=" and ".join(conditions) or "every customer",
        customers=customers,
        precision=correct / customers,
        coverage=correct / int(is_in_segment.sum()),
    )
