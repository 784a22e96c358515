"""Segmentations as they are declared in ``vars.yml``, read once and checked."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from customer_segmentation.errors import InputError
from customer_segmentation.segmentation.declaration import Declaration

ALGORITHMS = ("kmeans", "ward", "average", "gaussian_mixture", "dbscan", "hdbscan")
# these find their number of clusters themselves
DENSITY_ALGORITHMS = ("dbscan", "hdbscan")
TRANSFORMS = ("standard", "log", "power", "quantile", "onehot", "passthrough")
MISSING_RULES = ("leave_out", "impute")
GREATEST_K = 50
# a category has at most so many levels: the most frequent, and `other` for the rest
GREATEST_LEVELS = 30

_SEGMENTATION_KEYS = (
    *("description", "source_system", "features", "algorithms", "k", "pca", "pin"),
    *("minimum_share", "value_feature"),
)
_FEATURE_KEYS = ("name", "transform", "weight", "missing", "block")
_PIN_KEYS = ("algorithm", "k")


@dataclass(frozen=True)
class Feature:
    """A feature and how it enters the space that is clustered.

    Parameters
    ----------
    name : str
        A column of ``customer_features``.
    transform : str
        One of `TRANSFORMS`.
    weight : float
        Multiplies the columns of the feature, and so its distances.
    missing : str
        ``leave_out`` the customers without it, or ``impute`` the median with a flag.
    block : str or None
        Features of one block are functions of one another: null data move them as one.
    """

    name: str
    transform: str
    weight: float = 1.0
    missing: str = "leave_out"
    block: str | None = None


@dataclass(frozen=True)
class Pin:
    """The choice, made by the user; it may lie outside the algorithms and the range."""

    algorithm: str
    k: int


@dataclass(frozen=True)
class Segmentation:
    """A declared segmentation.

    Parameters
    ----------
    name : str
        In snake case.
    source_system : str
        Whose customers it segments.
    features : tuple of Feature
        At least one, in the order declared.
    algorithms : tuple of str
        Some of `ALGORITHMS`.
    k_min, k_max : int
        The least and greatest number of clusters to look at.
    pca : float, int or None
        The share of variance (between 0 and 1) or the number of components to keep.
    pin : Pin or None
        Overrides the choice.
    minimum_share : float
        The least share of customers that a segment may have.
    value_feature : str or None
        The column of ``customer_features`` that orders the segments' ids.
    description : str
        What it tells, for people.
    """

    name: str
    source_system: str
    features: tuple[Feature, ...]
    algorithms: tuple[str, ...] = ("kmeans", "ward", "gaussian_mixture")
    k_min: int = 2
    k_max: int = 10
    pca: float | int | None = None
    pin: Pin | None = None
    minimum_share: float = 0.03
    value_feature: str | None = None
    description: str = ""


def parse_segmentations(
    declared: Mapping | None,
    source_systems: Collection[str],
    known_source_systems: Collection[str],
) -> tuple[Segmentation, ...]:
    """Read and check the declared segmentations.

    Parameters
    ----------
    declared : mapping or None
        The var ``segmentations``: declarations by name; None declares none.
    source_systems : collection of str
        Those switched on. Segmentations of the others are checked and left out.
    known_source_systems : collection of str
        All that the catalog knows.

    Returns
    -------
    tuple of Segmentation
        In the order declared.

    Raises
    ------
    InputError
        At the first mistake; names the segmentation, the key, and what would do.

    Examples
    --------
    >>> declared = {
    ...     "ages": {
    ...         "source_system": "mall",
    ...         "features": [{"name": "age", "transform": "standard"}],
    ...     }
    ... }
    >>> [one.algorithms for one in parse_segmentations(declared, ["mall"], ["mall"])]
    [('kmeans', 'ward', 'gaussian_mixture')]
    """
    if declared is None:
        return ()
    if not isinstance(declared, Mapping):
        raise InputError(
            f"segmentations: is {declared!r}; give a mapping of names to declarations"
        )
    segmentations = [
        _parse_segmentation(name, entries, known_source_systems)
        for name, entries in declared.items()
    ]
    return tuple(one for one in segmentations if one.source_system in source_systems)


def check_features(segmentation: Segmentation, columns: Iterable[str]) -> None:
    """Check that the features of a segmentation are columns there are.

    Parameters
    ----------
    segmentation : Segmentation
        Whose features, and value feature, to look for.
    columns : iterable of str
        The columns there are (a mapping of columns to types does as well).

    Raises
    ------
    InputError
        If there is no such column; suggests the nearest.
    """
    available = tuple(columns)
    for feature in segmentation.features:
        require_column(segmentation.name, feature.name, available)
    if segmentation.value_feature is not None:
        key = "value_feature"
        require_column(segmentation.name, segmentation.value_feature, available, key)


def require_column(
    segmentation: str, feature: str, columns: Collection[str], key: str | None = None
) -> None:
    """Raise an `InputError` that suggests the nearest if there is no such column."""
    if feature not in columns:
        nearest = get_close_matches(feature, sorted(columns), n=1, cutoff=0.0)
        meant = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise InputError(
            f"segmentation {segmentation}: {key or f'features.{feature}'}: there is no "
            f"feature {feature!r}{meant}"
        )


def _parse_segmentation(
    name: object, entries: object, known_source_systems: Collection[str]
) -> Segmentation:
    declaration = Declaration.of_segmentation(name, entries, _SEGMENTATION_KEYS)
    declaration.require("source_system", "features")
    features = _parse_features(declaration)
    algorithms = declaration.list_of("algorithms", Segmentation.algorithms)
    for algorithm in algorithms:
        declaration.one_of("algorithms", ALGORITHMS, algorithm)
    declaration.no_repeats("algorithms", algorithms)
    k_min, k_max = _parse_k(declaration)
    return Segmentation(
        name=name,
        source_system=declaration.one_of("source_system", known_source_systems),
        features=features,
        algorithms=algorithms,
        k_min=k_min,
        k_max=k_max,
        pca=_parse_pca(declaration, features),
        pin=_parse_pin(declaration),
        minimum_share=_parse_minimum_share(declaration, k_min),
        value_feature=declaration.snake_case("value_feature", None),
        description=declaration.text("description", ""),
    )


def _parse_features(declaration: Declaration) -> tuple[Feature, ...]:
    features = tuple(
        _parse_feature(declaration, number, entries)
        for number, entries in enumerate(declaration.list_of("features"), start=1)
    )
    declaration.no_repeats("features", [feature.name for feature in features])
    return features


def _parse_feature(declaration: Declaration, number: int, entries: object) -> Feature:
    is_named = isinstance(entries, Mapping) and isinstance(entries.get("name"), str)
    label = entries["name"] if is_named else number
    feature = declaration.inner(f"features.{label}", entries, _FEATURE_KEYS)
    feature.require("name", "transform")
    weight = feature.number("weight", Feature.weight)
    if weight <= 0:
        raise feature.error("weight", f"is {weight}; give a number above 0")
    return Feature(
        name=feature.snake_case("name"),
        transform=feature.one_of("transform", TRANSFORMS),
        weight=float(weight),
        missing=feature.one_of("missing", MISSING_RULES, default=Feature.missing),
        block=feature.snake_case("block", None),
    )


def _parse_k(declaration: Declaration) -> tuple[int, int]:
    default = (Segmentation.k_min, Segmentation.k_max)
    k = declaration.list_of("k", default, form="[least, greatest], such as [2, 10]")
    if len(k) != 2:
        raise declaration.error("k", f"is {list(k)}; give [least, greatest]")
    k_min, k_max = (declaration.integer("k", entry) for entry in k)
    if not 2 <= k_min <= k_max <= GREATEST_K:
        raise declaration.error(
            "k",
            f"is [{k_min}, {k_max}]; give [least, greatest] with "
            f"2 <= least <= greatest <= {GREATEST_K}",
        )
    return k_min, k_max


def _parse_pca(
    declaration: Declaration, features: tuple[Feature, ...]
) -> float | int | None:
    pca = declaration.number("pca", None)
    if pca is None:
        return None
    greatest = sum(
        GREATEST_LEVELS
        if feature.transform == "onehot"
        else 2
        if feature.missing == "impute"
        else 1
        for feature in features
    )
    is_in_range = 1 <= pca <= greatest if isinstance(pca, int) else 0 < pca < 1
    if not is_in_range:
        raise declaration.error(
            "pca",
            f"is {pca}; give a share of the variance between 0 and 1, or a whole "
            f"number of components from 1 to {greatest}",
        )
    return pca


def _parse_pin(declaration: Declaration) -> Pin | None:
    if declaration.entries.get("pin") is None:
        return None
    pin = declaration.inner("pin", declaration.entries["pin"], _PIN_KEYS)
    pin.require(*_PIN_KEYS)
    with_k = [name for name in ALGORITHMS if name not in DENSITY_ALGORITHMS]
    algorithm = pin.one_of("algorithm", ALGORITHMS)
    if algorithm in DENSITY_ALGORITHMS:
        raise pin.error(
            "algorithm", f"{algorithm} has no k to pin; give one of {', '.join(with_k)}"
        )
    k = pin.integer("k", pin.entries["k"])
    if not 2 <= k <= GREATEST_K:
        raise pin.error("k", f"is {k}; give a whole number from 2 to {GREATEST_K}")
    return Pin(algorithm, k)


def _parse_minimum_share(declaration: Declaration, k_min: int) -> float:
    share = declaration.number("minimum_share", Segmentation.minimum_share)
    if not 0 <= share < 0.5:
        raise declaration.error(
            "minimum_share", f"is {share}; give a share from 0 to below 0.5"
        )
    if share * k_min > 1:
        raise declaration.error(
            "minimum_share",
            f"is {share}, which {k_min} segments cannot all have; give at most "
            f"{1 / k_min:.3g}, or a smaller least k",
        )
    return float(share)
