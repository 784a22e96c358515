"""A decision tree of scikit-learn whose paths name few features, and few leaves."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from customer_segmentation.segmentation.declare import SEED
from customer_segmentation.segmentation.weighted import Labels

LEAVES_PER_SEGMENT = 6
# a rule that holds for fewer customers is chance
MIN_LEAF_SHARE = 1 / 200
# both are grown, and the tree of the higher fidelity is kept
CRITERIA = ("gini", "entropy")
# the fidelity that a smaller tree may cost
FIDELITY_TOLERANCE = 0.005
# a test names one of the most frequent categories only
NAMED_CATEGORIES = 50

# numbers, or categories as text; nothing is missing
Values = NDArray[Any]
Table = Mapping[str, Values]


@dataclass(frozen=True)
class SplitTest:
    """One side of a split: of numbers at a cut, or of a category from the others.

    Parameters
    ----------
    feature : str
        The feature that is split.
    split_at : float or str
        The cut, or the category.
    is_above : bool
        Whether this is the side of larger numbers, or of the category.
    """

    feature: str
    split_at: Any
    is_above: bool

    def holds(self, values: Values) -> NDArray[np.bool_]:
        """Return for which values of the feature it holds."""
        is_category = isinstance(self.split_at, str)
        above = values == self.split_at if is_category else values > self.split_at
        return np.asarray(above == self.is_above)


@dataclass
class TreeNode:
    """A node of the tree.

    Parameters
    ----------
    path : tuple of SplitTest
        All of them hold for the customers of the node.
    segment : int
        The segment of most of these customers.
    correct : int
        Number of customers in this segment.
    gain : float
        Impurity that its split removes.
    children : tuple of TreeNode
        Empty for a leaf.
    split_number : float
        Its place in the order of the splits.
    """

    path: tuple[SplitTest, ...]
    segment: int
    correct: int
    gain: float = 0.0
    children: tuple["TreeNode", ...] = ()
    split_number: float = np.inf

    def leaves_below(self, splits: int) -> list["TreeNode"]:
        """Return the leaves of the tree of the first splits."""
        if self.split_number > splits:
            return [self]
        leaves = [
            leaf for child in self.children for leaf in child.leaves_below(splits)
        ]
        # a split into two sides of the same segment says nothing
        return [self] if len({leaf.segment for leaf in leaves}) == 1 else leaves


def grow_leaves(table: Table, segments: Labels, max_features: int) -> list[TreeNode]:
    """Grow a tree that predicts segments, and return its leaves.

    A path that names as many features as it may goes on with these features only: a
    tree is fitted to its customers again. Of the trees of the first 1, 2, ... splits,
    the one that gains most first, the smallest is chosen that is about as good as the
    best.

    Parameters
    ----------
    table : mapping of str to ndarray of shape (n,)
        Features: numbers, or categories as text.
    segments : ndarray of shape (n,)
        The segment of each customer.
    max_features : int
        Maximum number of features that a path names.

    Returns
    -------
    list of TreeNode
        Exactly one of them holds for each customer.
    """
    trees = [
        _Grower(table, segments, criterion, max_features).leaves()
        for criterion in CRITERIA
    ]
    return max(trees, key=lambda leaves: sum(leaf.correct for leaf in leaves))


class _Grower:
    """Grows one tree."""

    def __init__(
        self, table: Table, segments: Labels, criterion: str, max_features: int
    ) -> None:
        self._table = table
        self._segments = segments
        self._criterion = criterion
        self._max_features = max_features
        self._max_leaves = LEAVES_PER_SEGMENT * len(np.unique(segments))
        self._min_samples = max(2, int(len(segments) * MIN_LEAF_SHARE))
        # a number is a column, and so is each frequent category
        self._owners = [
            (name, category)
            for name, values in table.items()
            for category in _frequent_categories(values)
        ]
        self._columns = np.column_stack(
            [
                table[name] if category is None else table[name] == category
                for name, category in self._owners
            ]
        ).astype(np.float32)

    def leaves(self) -> list[TreeNode]:
        """Return the leaves of the smallest tree that is about as good as the best."""
        root = self._fit(np.arange(len(self._segments)), ())
        correct = self._number_splits(root)
        enough = max(correct) - FIDELITY_TOLERANCE * len(self._segments)
        return root.leaves_below(next(n for n, c in enumerate(correct) if c >= enough))

    def _number_splits(self, root: TreeNode) -> list[int]:
        """Put the splits in order, the one that gains most first.

        Returns
        -------
        list of int
            Customers whose segment is correct after 0, 1, 2, ... splits.
        """
        correct = [root.correct]
        # of equal gains the older node comes first
        waiting = [(-root.gain, 0, root)] if root.children else []
        nodes = 1
        while waiting and len(correct) < self._max_leaves:
            *_, node = heapq.heappop(waiting)
            node.split_number = len(correct)
            more = sum(child.correct for child in node.children) - node.correct
            correct.append(correct[-1] + more)
            for child in node.children:
                if child.children:
                    heapq.heappush(waiting, (-child.gain, nodes, child))
                nodes += 1
        return correct

    def _fit(self, rows: NDArray[np.intp], path: tuple[SplitTest, ...]) -> TreeNode:
        """Fit a tree to the customers at the end of a path, on what it may name."""
        named = {test.feature for test in path}
        columns = np.array(
            [
                column
                for column, (name, _) in enumerate(self._owners)
                if len(named) < self._max_features or name in named
            ]
        )
        classifier = DecisionTreeClassifier(
            criterion=self._criterion,
            min_samples_leaf=self._min_samples,
            random_state=SEED,
        )
        classifier.fit(self._columns[np.ix_(rows, columns)], self._segments[rows])
        return self._read(classifier.tree_, 0, columns, rows, path)

    def _read(
        self,
        tree: Any,
        at: int,
        columns: NDArray[np.intp],
        rows: NDArray[np.intp],
        path: tuple[SplitTest, ...],
    ) -> TreeNode:
        """Read a node of scikit-learn's tree, and what is below it."""
        segments, counts = np.unique(self._segments[rows], return_counts=True)
        most = counts.argmax()
        node = TreeNode(path, int(segments[most]), int(counts[most]))
        sides = [tree.children_left[at], tree.children_right[at]]
        if sides[0] == sides[1]:
            return node
        name, category = self._owners[columns[tree.feature[at]]]
        named = {test.feature for test in path}
        if name not in named and len(named) == self._max_features:
            return self._fit(rows, path)
        values = self._table[name][rows]
        split_at = _cut(values, tree.threshold[at]) if category is None else category
        impurity = tree.impurity * tree.weighted_n_node_samples
        node.gain = float(impurity[at] - impurity[sides].sum())
        children = []
        for side, is_above in zip(sides, (False, True), strict=True):
            test = SplitTest(name, split_at, is_above)
            below = rows[test.holds(values)]
            children.append(self._read(tree, side, columns, below, (*path, test)))
        node.children = tuple(children)
        return node


def _frequent_categories(values: Values) -> list[str | None]:
    """Return the categories that a rule may name; of numbers only None."""
    if values.dtype.kind == "f":
        return [None]
    known, counts = np.unique(values, return_counts=True)
    most_frequent = np.argsort(-counts, kind="stable")[:NAMED_CATEGORIES]
    return sorted(known[most_frequent].tolist())


def _cut(values: Values, threshold: float) -> float:
    """Return a number of few digits that splits values as the threshold does."""
    # scikit-learn compares in single precision, and may round up to a value
    below = values[values.astype(np.float32) <= threshold].max()
    return _shortest_number(below, values[values > below].min())


def _shortest_number(below: float, above: float) -> float:
    """Return the number of fewest digits from `below` to less than `above`.

    >>> _shortest_number(89.0, 93.0)
    90.0
    >>> _shortest_number(0.1234, 0.1301)
    0.13
    """
    magnitude = int(np.floor(np.log10(max(abs(below), abs(above)))))
    for decimals in range(-magnitude, 18 - magnitude):
        step = 10.0**-decimals
        for cut in (
            round((below + above) / 2, decimals),
            round(np.floor(above / step) * step, decimals),
            round(np.ceil(below / step) * step, decimals),
        ):
            if below <= cut < above:
                return float(cut) + 0.0
    return float(below)
