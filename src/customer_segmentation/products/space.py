"""Space: products as points on a sphere, near each other if they share rare terms.

The weights are TF-IDF. Terms and products are scaled by the root of their damped
degrees before the singular value decomposition (spectral co-clustering: Dhillon 2001;
damped as in Qin & Rohe 2013). A plain decomposition of TF-IDF gives each frequent word
a direction of its own, and leaves half of the products in one heap.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import svds

from customer_segmentation.products.words import fold_plurals, is_kind, terms_of

__all__ = ["Labels", "Points", "TermSpace"]

Points = NDArray[np.float64]
Labels = NDArray[np.int64]

DIMENSIONS = 14
MAX_TERMS = 5_000
# a term of one product connects it with nothing
MIN_PRODUCTS = 2
# in mean degrees; less lets rare terms make directions of their own
DAMPING = 20.0
# the kind tells more of a product than any of its words
KIND_WEIGHT = 3.0
DECIMALS = 7
# ARPACK may fail where few names are alike, as those of a small shop
DENSE = 300


@dataclass(frozen=True)
class TermSpace:
    """Terms as vectors; a product lies in the direction of the sum of its terms.

    Parameters
    ----------
    singular : mapping of str to str
        Plural words, and the words that they count as.
    terms : tuple of str
        The vocabulary, sorted.
    weights : ndarray of shape (t,)
        Inverse document frequencies.
    vectors : ndarray of shape (t, d)
        The scaled right singular vectors.
    """

    singular: Mapping[str, str]
    terms: tuple[str, ...]
    weights: NDArray[np.float64]
    vectors: Points

    @classmethod
    def fit(
        cls, descriptions: Sequence[Sequence[str]], dimensions: int = DIMENSIONS
    ) -> Self:
        """Learn the vocabulary and its vectors.

        Parameters
        ----------
        descriptions : sequence of sequences of str
            The words of each product.
        dimensions : int
            Maximum number of dimensions.
        """
        singular = fold_plurals(word for words in descriptions for word in words)
        counted = [terms_of(words, singular) for words in descriptions]
        frequency = Counter(term for terms in counted for term in terms)
        # of equally frequent terms, those that sort first
        ranked = sorted(frequency.items(), key=lambda item: (-item[1], item[0]))
        kept = [term for term, count in ranked if count >= MIN_PRODUCTS][:MAX_TERMS]
        terms = tuple(sorted(kept))
        counts = np.array([frequency[term] for term in terms], dtype=float)
        weights = np.log((1 + len(counted)) / (1 + counts)) + 1
        weights[[is_kind(term) for term in terms]] *= KIND_WEIGHT
        blank = cls(singular, terms, weights, np.zeros((len(terms), 0)))
        if not terms:
            return blank
        matrix = blank.weigh(descriptions)
        vectors = _scaled_vectors(matrix, dimensions)
        return cls(singular, terms, weights, vectors)

    def weigh(self, descriptions: Sequence[Sequence[str]]) -> csr_array:
        """Return TF-IDF weights of shape (n, t), each row of length 1 or empty."""
        place = {term: number for number, term in enumerate(self.terms)}
        rows, columns = [], []
        for row, words in enumerate(descriptions):
            found = [place[one] for one in terms_of(words, self._folds) if one in place]
            rows += [row] * len(found)
            columns += sorted(found)
        values = self.weights[columns]
        squares = np.bincount(rows, values**2, minlength=len(descriptions))
        values = values / np.sqrt(squares[rows])
        shape = (len(descriptions), len(self.terms))
        return csr_array((values, (rows, columns)), shape=shape)

    def transform(self, descriptions: Sequence[Sequence[str]]) -> Points:
        """Return points of length 1; zeros where no term is known."""
        points = np.asarray(self.weigh(descriptions) @ self.vectors)
        length = np.sqrt((points**2).sum(axis=1, keepdims=True))
        points = np.divide(
            points, length, out=np.zeros_like(points), where=length > 10**-DECIMALS
        )
        # products of the same terms are the same point
        rounded: Points = np.round(points, 9)
        return rounded

    @property
    def _folds(self) -> "_Folds":
        return _Folds(self.singular, frozenset(self.terms))

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "singular": dict(self.singular),
            "terms": list(self.terms),
            "weights": self.weights.tolist(),
            "vectors": self.vectors.tolist(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return what ``to_dict`` stored."""
        terms = tuple(stored["terms"])
        vectors = np.array(stored["vectors"], dtype=float)
        return cls(
            singular=stored["singular"],
            terms=terms,
            weights=np.array(stored["weights"], dtype=float),
            vectors=vectors.reshape(len(terms), -1) if terms else np.zeros((0, 0)),
        )


class _Folds(dict[str, str]):
    """The singular of known plurals, and of those that are new to the shop."""

    def __init__(self, singular: Mapping[str, str], terms: frozenset[str]) -> None:
        super().__init__(singular)
        self._terms = terms

    def get(self, word: str, default: Any = None) -> Any:
        if word in self:
            return self[word]
        if word not in self._terms:
            for other in (word.removesuffix("s"), f"{word}s"):
                if other in self._terms:
                    return other
        return default


def _scaled_vectors(matrix: csr_array, dimensions: int) -> Points:
    """Return a vector for each column, rounded: the last bits depend on the machine."""
    by_row, by_column = (np.asarray(matrix.sum(axis=axis)) for axis in (1, 0))
    row_scale, column_scale = (
        1 / np.sqrt(degree + DAMPING * degree.mean()) for degree in (by_row, by_column)
    )
    scaled = diags_array(row_scale) @ matrix @ diags_array(column_scale)
    count = min(dimensions, min(scaled.shape) - 1)
    if count < 1:
        return np.ones((matrix.shape[1], 1))
    if min(scaled.shape) <= DENSE:
        found = np.linalg.svd(scaled.toarray(), full_matrices=False)[2][:count]
    else:
        start = np.ones(min(scaled.shape))
        found = svds(scaled, k=count, v0=start, solver="arpack")[2][::-1]
    vectors: Points = found.T
    # each direction has a fixed sign
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(count)])
    rounded: Points = np.round(vectors * column_scale[:, None], DECIMALS)
    return rounded
