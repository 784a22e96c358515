"""Labels of a clustering: how many clusters, where they are, and who is noise."""

import numpy as np
from scipy.spatial.distance import cdist

from customer_segmentation.segmentation.weighted import Labels, Points

NOISE = -1


def count_clusters(labels: Labels) -> int:
    """Return the number of clusters, without noise."""
    return len(np.unique(labels[labels != NOISE]))


def noise_joined(points: Points, labels: Labels) -> Labels:
    """Return labels whose noise points are in the nearest cluster."""
    is_noise = labels == NOISE
    if not is_noise.any():
        return labels
    clusters, centres = centroids(points[~is_noise], labels[~is_noise])
    joined = labels.copy()
    joined[is_noise] = clusters[cdist(points[is_noise], centres).argmin(axis=1)]
    return joined


def centroids(points: Points, labels: Labels) -> tuple[Labels, Points]:
    """Return the labels, in order, and the mean of the points of each."""
    clusters = np.unique(labels)
    return clusters, np.stack([points[labels == one].mean(axis=0) for one in clusters])
