"""Rules that say in words who is in a segment: the leaves of a shallow tree."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

__all__ = ["Rule", "RuleSet", "shallow_rules"]

# who looks for rules in more customers finds the same ones later
TRAINING_ROWS = 50_000
LEAVES_A_SEGMENT = 6
# a rule holds for so many of the customers at least, or it is an accident
LEAST_SHARE = 1 / 200
# each grows its own tree, and the better one speaks
CRITERIA = ("gini", "entropy")
# how much fidelity a shorter list of rules may cost
WORTH_A_SHORTER_LIST = 0.005
# a rule never names a category rarer than these
NAMED_CATEGORIES = 50
MISSING = "missing"


@dataclass(frozen=True)
class Rule:
    """A rule, and how well it finds its segment.

    Parameters
    ----------
    segment_id : int
        The segment of most customers it holds for.
    text : str
        Conditions joined by ``and``, in the features' own units.
    customers : int
        For how many it holds.
    precision : float
        Share of these that are in the segment.
    coverage : float
        Share of the segment's customers that are among these.
    """

    segment_id: int
    text: str
    customers: int
    precision: float
    coverage: float


@dataclass(frozen=True)
class RuleSet:
    """The rules of a segmentation: exactly one holds for each customer.

    Parameters
    ----------
    rules : tuple of Rule
        By segment, the rule that holds for most customers first.
    fidelity : float
        Share of the customers whose segment the rules say; NaN without customers.
    """

    rules: tuple[Rule, ...]
    fidelity: float


def shallow_rules(
    frame: pd.DataFrame,
    segments: NDArray[np.int64],
    max_conditions: int = 3,
    seed: int = 0,
) -> RuleSet:
    """Describe segments by rules of a few conditions on their customers' features.

    A tree is grown where that tells most customers apart, each split found by
    scikit-learn's. A path may come back to a feature, for ``30 < recency_days <= 90``
    is one condition, but never names more features than there may be conditions.

    Parameters
    ----------
    frame : DataFrame of n rows
        Features in their own units, finite: numbers, or categories as text or booleans.
        A missing number counts as the median, a missing category as one of its own.
    segments : array of shape (n,)
        The segment of each customer, 0 for outliers.
    max_conditions : int
        The most conditions of a rule.
    seed : int
        Seeds the sample a large fit is made on.

    Returns
    -------
    RuleSet
        Measured on all n customers.
    """
    segments = np.asarray(segments)
    if not len(frame):
        return RuleSet((), float("nan"))
    features = [_feature(frame[name]) for name in frame.columns]
    training = np.arange(len(frame))
    if len(frame) > TRAINING_ROWS:
        rng = np.random.default_rng(seed)
        training = np.sort(rng.choice(len(frame), TRAINING_ROWS, replace=False))
    in_training = [one.take(training) for one in features]
    trees = [
        _Tree(in_training, segments[training], criterion) for criterion in CRITERIA
    ]
    for tree in trees:
        tree.grow(max_conditions)
    leaves = max(
        (tree.leaves() for tree in trees),
        key=lambda leaves: sum(leaf.right for leaf in leaves),
    )

    sizes = dict(zip(*np.unique(segments, return_counts=True), strict=True))
    rules, right = [], 0
    for leaf in leaves:
        holds = np.ones(len(frame), dtype=bool)
        for index, condition in leaf.conditions.items():
            holds &= features[index].holds(condition)
        found = int(np.count_nonzero(segments[holds] == leaf.segment))
        customers = int(np.count_nonzero(holds))
        right += found
        texts = [
            features[index].describe(condition)
            for index, condition in leaf.conditions.items()
        ]
        rules.append(
            Rule(
                int(leaf.segment),
                " and ".join(texts) or "every customer",
                customers,
                found / customers,
                found / int(sizes[leaf.segment]),
            )
        )
    rules.sort(key=lambda rule: (rule.segment_id, -rule.customers, rule.text))
    return RuleSet(tuple(rules), right / len(frame))


# -- conditions: of a number an interval, of a category the set that is left


@dataclass(frozen=True)
class _Number:
    """A feature that is a number: its condition is the interval (low, high]."""

    name: str
    values: NDArray[np.float64]

    anything = (-np.inf, np.inf)

    def take(self, rows: NDArray[np.intp]) -> "_Number":
        return _Number(self.name, self.values[rows])

    def columns(self) -> NDArray[np.float64]:
        return self.values[:, np.newaxis]

    def holds(self, interval: tuple[float, float]) -> NDArray[np.bool_]:
        return (self.values > interval[0]) & (self.values <= interval[1])

    def split(
        self,
        interval: tuple[float, float],
        column: int,
        threshold: float,
        rows: NDArray[np.intp],
    ) -> tuple[tuple[float, float], tuple[float, float]]:
        values = self.values[rows]
        # scikit-learn compares in single precision, and so may name a value's own
        below = values[values.astype(np.float32) <= threshold].max()
        above = values[values > below].min()
        cut = _shortest(below, above)
        return (interval[0], cut), (cut, interval[1])

    def describe(self, interval: tuple[float, float]) -> str:
        low, high = interval
        if low == -np.inf:
            return f"{self.name} <= {_written(high)}"
        if high == np.inf:
            return f"{self.name} > {_written(low)}"
        return f"{_written(low)} < {self.name} <= {_written(high)}"


@dataclass(frozen=True)
class _Category:
    """A feature that is text: its condition is the set of categories left."""

    name: str
    codes: NDArray[np.intp]
    categories: tuple[str, ...]
    named: tuple[int, ...]

    @property
    def anything(self) -> frozenset[int]:
        return frozenset(range(len(self.categories)))

    def take(self, rows: NDArray[np.intp]) -> "_Category":
        return _Category(self.name, self.codes[rows], self.categories, self.named)

    def columns(self) -> NDArray[np.float64]:
        return (self.codes[:, np.newaxis] == np.array(self.named)).astype(float)

    def holds(self, left: frozenset[int]) -> NDArray[np.bool_]:
        return np.isin(self.codes, sorted(left))

    def split(
        self,
        left: frozenset[int],
        column: int,
        threshold: float,
        rows: NDArray[np.intp],
    ) -> tuple[frozenset[int], frozenset[int]]:
        is_it = frozenset([self.named[column]])
        return left - is_it, is_it

    def describe(self, left: frozenset[int]) -> str:
        ruled_out = self.anything - left
        if len(left) <= len(ruled_out):
            return f"{self.name} is {self._either(left)}"
        return f"{self.name} is not {self._either(ruled_out)}"

    def _either(self, codes: frozenset[int]) -> str:
        return " or ".join(self.categories[code] for code in sorted(codes))


_Feature = _Number | _Category
_Condition = tuple[float, float] | frozenset[int]


def _feature(column: pd.Series) -> _Feature:
    name = str(column.name)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        if np.isnan(values).any():
            present = values[~np.isnan(values)]
            values = np.where(
                np.isnan(values), np.median(present) if len(present) else 0.0, values
            )
        return _Number(name, values)
    texts = np.array(
        [MISSING if pd.isna(value) else str(value) for value in column], dtype=object
    )
    categories, codes, counts = np.unique(
        texts.astype(str), return_inverse=True, return_counts=True
    )
    named = np.argsort(-counts, kind="stable")[:NAMED_CATEGORIES]
    return _Category(
        name, codes, tuple(categories.tolist()), tuple(sorted(named.tolist()))
    )


def _shortest(below: float, above: float) -> float:
    """Return the number of fewest digits that is at least below, and less than above.

    >>> _shortest(89.0, 93.0)
    90.0
    >>> _shortest(0.1234, 0.1301)
    0.13
    """
    magnitude = int(np.floor(np.log10(max(abs(below), abs(above)))))
    for decimals in range(-magnitude, 18 - magnitude):
        middle = (below + above) / 2
        step = 10.0**-decimals
        for cut in (
            round(middle, decimals),
            round(np.floor(above / step) * step, decimals),
            round(np.ceil(below / step) * step, decimals),
        ):
            if below <= cut < above:
                return float(cut) + 0.0
    return float(below)


def _written(number: float) -> str:
    return np.format_float_positional(number, trim="-")


# -- the tree


@dataclass
class _Node:
    rows: NDArray[np.intp]
    conditions: Mapping[int, _Condition]
    segment: int
    right: int
    born: int = 0
    split_at: int | None = None
    children: tuple["_Node", ...] = ()


@dataclass(frozen=True, order=True)
class _Split:
    """A split that could be made, the best first; of equal ones the elder node's."""

    loss: float
    born: int
    node: _Node = field(compare=False)
    feature: int = field(compare=False)
    column: int = field(compare=False)
    threshold: float = field(compare=False)


class _Tree:
    """A tree grown best first, whose leaves name few features each."""

    def __init__(
        self, features: list[_Feature], segments: NDArray[np.int64], criterion: str
    ) -> None:
        self._criterion = criterion
        self._features = features
        self._segments = segments
        columns = [one.columns() for one in features]
        self._columns = np.asfortranarray(np.hstack(columns), dtype=np.float32)
        # which feature each column is of, and which of the feature's columns it is
        self._owner = np.repeat(
            np.arange(len(features)), [one.shape[1] for one in columns]
        )
        self._within = np.concatenate([np.arange(one.shape[1]) for one in columns])
        self._least = max(2, int(len(segments) * LEAST_SHARE))
        self._nodes = 0
        self._right: list[int] = []
        self.root = self._node(np.arange(len(segments)), {})

    def grow(self, max_conditions: int) -> None:
        """Split, the split that helps most first, until there are leaves enough."""
        most = LEAVES_A_SEGMENT * len(np.unique(self._segments))
        possible: list[_Split] = []
        self._consider(self.root, max_conditions, possible)
        self._right.append(self.root.right)
        while possible and len(self._right) < most:
            split = heapq.heappop(possible)
            node, feature = split.node, self._features[split.feature]
            condition = node.conditions.get(split.feature, feature.anything)
            node.split_at = len(self._right)
            node.children = tuple(
                self._node(
                    node.rows[feature.take(node.rows).holds(part)],
                    {**node.conditions, split.feature: part},
                )
                for part in feature.split(
                    condition, split.column, split.threshold, node.rows
                )
            )
            self._right.append(
                self._right[-1]
                - node.right
                + sum(child.right for child in node.children)
            )
            for child in node.children:
                self._consider(child, max_conditions, possible)

    def leaves(self) -> list[_Node]:
        """Return the leaves of the smallest tree that is about as good as the best."""
        good = max(self._right) - WORTH_A_SHORTER_LIST * len(self._segments)
        splits = next(at for at, right in enumerate(self._right) if right >= good)
        return self._below(self.root, splits)

    def _below(self, node: _Node, splits: int) -> list[_Node]:
        if node.split_at is None or node.split_at > splits:
            return [node]
        leaves = [
            leaf for child in node.children for leaf in self._below(child, splits)
        ]
        # a split whose sides say the same says nothing
        return [node] if len({leaf.segment for leaf in leaves}) == 1 else leaves

    def _node(
        self, rows: NDArray[np.intp], conditions: Mapping[int, _Condition]
    ) -> _Node:
        ids, counts = np.unique(self._segments[rows], return_counts=True)
        self._nodes += 1
        most = np.argmax(counts)
        return _Node(rows, conditions, int(ids[most]), int(counts[most]), self._nodes)

    def _consider(
        self, node: _Node, max_conditions: int, possible: list[_Split]
    ) -> None:
        """Find a node's best split, on the features it may still name."""
        columns = np.arange(len(self._owner))
        if len(node.conditions) >= max_conditions:
            columns = np.flatnonzero(np.isin(self._owner, list(node.conditions)))
        if node.right == len(node.rows) or not len(columns):
            return
        stump = DecisionTreeClassifier(
            max_depth=1,
            criterion=self._criterion,
            min_samples_leaf=self._least,
            random_state=0,
        ).fit(self._columns[np.ix_(node.rows, columns)], self._segments[node.rows])
        if stump.tree_.node_count == 1:
            return
        left_over = stump.tree_.impurity * stump.tree_.n_node_samples
        column = columns[stump.tree_.feature[0]]
        heapq.heappush(
            possible,
            _Split(
                float(left_over[1:].sum() - left_over[0]),
                node.born,
                node,
                int(self._owner[column]),
                int(self._within[column]),
                float(stump.tree_.threshold[0]),
            ),
        )
