"""The space that customers are clustered in: a design matrix, and perhaps its PCA."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from customer_segmentation.segmentation.indices import Points


@dataclass(frozen=True)
class Projection:
    """A linear projection; of a row the result does not depend on the other rows.

    Parameters
    ----------
    mean : ndarray of shape (columns,)
        Is taken off first.
    components : ndarray of shape (d, columns)
        Onto which to project.
    """

    mean: NDArray[np.float64]
    components: NDArray[np.float64]

    @classmethod
    def principal(cls, points: Points, kept: float | int) -> "Projection":
        """Return the principal components of points, each with its sign fixed.

        Parameters
        ----------
        points : ndarray of shape (n, columns)
            What to fit, n > 1.
        kept : float or int
            A share of the variance, or a number of components; as many as there are,
            if there are fewer.
        """
        if isinstance(kept, int):
            kept = min(kept, *points.shape)
        spread = np.ptp(points, axis=0).max(initial=0)
        if len(points) < 2 or spread == 0:
            return cls(np.zeros(points.shape[1]), np.eye(points.shape[1])[:1])
        fitted = PCA(kept, svd_solver="covariance_eigh").fit(points)
        components = fitted.components_
        greatest = np.abs(components).argmax(axis=1)
        signs = np.sign(components[np.arange(len(components)), greatest])
        return cls(fitted.mean_, components * signs[:, None])

    def apply(self, points: Points) -> Points:
        """Return points of shape (n, d)."""
        projected = np.zeros((len(points), len(self.components)))
        for column in range(points.shape[1]):
            centred = points[:, column] - self.mean[column]
            projected += centred[:, None] * self.components[:, column]
        return projected

    def invert(self, points: Points) -> Points:
        """Return the nearest points of the space projected from."""
        return points @ self.components + self.mean

    def to_dict(self) -> dict[str, list]:
        """Return what JSON can hold."""
        return {"mean": self.mean.tolist(), "components": self.components.tolist()}

    @classmethod
    def from_dict(cls, entries: dict[str, list]) -> "Projection":
        """Return what ``to_dict`` gave."""
        return cls(np.array(entries["mean"]), np.array(entries["components"]))


@dataclass(frozen=True)
class Space:
    """Customers in the space they are clustered in.

    Parameters
    ----------
    design_points : ndarray of shape (n, columns)
        The design matrix.
    blocks : sequence of sequences of int
        Columns that are functions of one another.
    is_numeric : sequence of bool
        For each column whether its order means something.
    pca : float, int or None
        What of the principal components to keep; None clusters the design matrix.
    projection : Projection or None
        The principal components kept.
    """

    design_points: Points
    blocks: Sequence[Sequence[int]]
    is_numeric: Sequence[bool]
    pca: float | int | None = None
    projection: Projection | None = None

    @classmethod
    def of(
        cls,
        design_points: Points,
        blocks: Sequence[Sequence[int]],
        is_numeric: Sequence[bool],
        pca: float | int | None = None,
    ) -> "Space":
        """Return a space, with its principal components fitted."""
        projection = None if pca is None else Projection.principal(design_points, pca)
        return cls(design_points, blocks, is_numeric, pca, projection)

    @property
    def points(self) -> Points:
        """The points to cluster, of shape (n, d)."""
        if self.projection is None:
            return self.design_points
        return self.projection.apply(self.design_points)

    def projected_anew(self, design_points: Points) -> Points:
        """Return other data as they would be clustered, on components of their own."""
        if self.pca is None:
            return design_points
        return Projection.principal(design_points, self.pca).apply(design_points)

    def sampled(self, rng: np.random.Generator, size: int) -> "Space":
        """Return the space with at most so many customers, drawn at random."""
        if len(self.design_points) <= size:
            return self
        rows = np.sort(rng.choice(len(self.design_points), size, replace=False))
        return replace(self, design_points=self.design_points[rows])
