"""Declare: the segmentations of ``vars.yml``, read and checked in one place."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from customer_segmentation.errors import InputError
from customer_segmentation.segmentation.declared_mapping import DeclaredMapping

# seeds all random draws of this subject
SEED = 20_240_229
ALGORITHMS = ("kmeans", "ward", "average", "gaussian_mixture", "dbscan", "hdbscan")
# these choose their number of clusters themselves
DENSITY_ALGORITHMS = ("dbscan", "hdbscan")
TRANSFORMS = ("standard", "log", "power", "quantile", "onehot", "passthrough")
MISSING_RULES = ("exclude", "impute")
MAX_K = 50
# levels of a category: the most frequent, and `other` for the rest
MAX_LEVELS = 30

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
        A column of ``int_features__customer_days``.
    transform : str
        One of ``TRANSFORMS``.
    weight : float
        Multiplies the columns of the feature, and so its distances.
    missing : str
        ``exclude`` customers without the feature, or ``impute`` the median with a flag.
    block : str or None
        Features of the same block depend on each other: null data move them together.
    """

    name: str
    transform: str
    weight: float = 1.0
    missing: str = "exclude"
    block: str | None = None


@dataclass(frozen=True)
class Pin:
    """The user's choice; algorithm and k may differ from those that are searched."""

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
        The source system whose customers it segments.
    features : tuple of Feature
        At least one, in the order declared.
    algorithms : tuple of str
        Some of ``ALGORITHMS``.
    k_min, k_max : int
        Minimum and maximum number of clusters to try.
    pca : float, int or None
        The share of variance (between 0 and 1) or the number of components to keep.
    pin : Pin or None
        Overrides the choice.
    minimum_share : float
        Minimum share of the customers in each segment.
    value_feature : str or None
        The feature that numbers the segments, the most valuable first.
    description : str
        For people.
    """

    name: str
    source_system: str
    features: tuple[Feature, ...]
    algorithms: tuple[str, ...] = (
        "kmeans",
        "ward",
        "gaussian_mixture",
        "hdbscan",
    )
    k_min: int = 2
    k_max: int = 10
    pca: float | int | None = None
    pin: Pin | None = None
    minimum_share: float = 0.03
    value_feature: str | None = None
    description: str = ""


@dataclass(frozen=True)
class SearchBudget:
    """How often the search resamples, and how often the choice is fitted again.

    Parameters
    ----------
    resamples : int
        Bootstrap resamples, for the stability of a candidate; at least 2.
    null_draws : int
        Null data sets of each kind; the smallest p-value is 1 / (draws + 1).
    refits : int
        Bootstrap resamples that the choice is fitted to, for the confidence; at least
        2.
    """

    resamples: int = 20
    null_draws: int = 99
    refits: int = 100


@dataclass(frozen=True)
class Declarations:
    """The vars of this subject.

    Parameters
    ----------
    segmentations : tuple of Segmentation
        Those of the source systems of this build, in the order declared.
    budget : SearchBudget
        How often the search resamples, and how often the choice is fitted again.
    """

    segmentations: tuple[Segmentation, ...]
    budget: SearchBudget


def read_segmentations(variables: Mapping[str, Any]) -> Declarations:
    """Read and check the vars of this subject.

    Parameters
    ----------
    variables : mapping
        Vars of ``vars.yml`` by name: ``segmentations`` (None declares none),
        ``source_systems`` and ``source_system_catalog``; and, if given,
        ``segmentation_resamples``, ``segmentation_null_draws`` and
        ``segmentation_refits``.

    Returns
    -------
    Declarations
        Segmentations of source systems that are switched off are checked, but not
        returned.

    Raises
    ------
    InputError
        At the first mistake; names the segmentation, the key and a remedy.

    Examples
    --------
    >>> ages = {
    ...     "source_system": "mall",
    ...     "features": [{"name": "age", "transform": "standard"}],
    ... }
    >>> variables = {
    ...     "segmentations": {"ages": ages},
    ...     "source_systems": ["mall"],
    ...     "source_system_catalog": {"mall": {}},
    ... }
    >>> [one.algorithms for one in read_segmentations(variables).segmentations]
    [('kmeans', 'ward', 'gaussian_mixture', 'hdbscan')]
    """
    declared = variables["segmentations"] or {}
    if not isinstance(declared, Mapping):
        raise InputError(
            f"segmentations: is {declared!r}; give a mapping of names to declarations"
        )
    segmentations = [
        _parse_segmentation(name, entries, variables["source_system_catalog"])
        for name, entries in declared.items()
    ]
    return Declarations(
        segmentations=tuple(
            one
            for one in segmentations
            if one.source_system in variables["source_systems"]
        ),
        budget=SearchBudget(
            resamples=_read_count(
                variables, "segmentation_resamples", SearchBudget.resamples, minimum=2
            ),
            null_draws=_read_count(
                variables, "segmentation_null_draws", SearchBudget.null_draws, minimum=1
            ),
            refits=_read_count(
                variables, "segmentation_refits", SearchBudget.refits, minimum=2
            ),
        ),
    )


def _read_count(
    variables: Mapping[str, Any], name: str, default: int, minimum: int
) -> int:
    value = variables.get(name, default)
    if type(value) is not int or value < minimum:
        raise InputError(
            f"{name}: is {value!r}; give a whole number of at least {minimum}"
        )
    return value


def _parse_segmentation(
    name: object, entries: object, source_systems: Collection[str]
) -> Segmentation:
    declared = DeclaredMapping.of_segmentation(name, entries, _SEGMENTATION_KEYS)
    source_system = declared.one_of("source_system", source_systems)
    features = tuple(
        _parse_feature(declared, number, feature)
        for number, feature in enumerate(declared.list_of("features"), start=1)
    )
    declared.check_distinct("features", [feature.name for feature in features])
    algorithms = declared.list_of("algorithms", Segmentation.algorithms)
    for algorithm in algorithms:
        declared.check_known("algorithms", algorithm, ALGORITHMS)
    declared.check_distinct("algorithms", algorithms)
    k_min, k_max = _parse_k(declared)
    return Segmentation(
        name=declared.segmentation,
        source_system=source_system,
        features=features,
        algorithms=algorithms,
        k_min=k_min,
        k_max=k_max,
        pca=_parse_pca(declared, features) if declared.has("pca") else None,
        pin=_parse_pin(declared) if declared.has("pin") else None,
        minimum_share=_parse_minimum_share(declared, k_min),
        value_feature=declared.snake_case("value_feature")
        if declared.has("value_feature")
        else None,
        description=declared.text("description", ""),
    )


def _parse_feature(declared: DeclaredMapping, number: int, entries: object) -> Feature:
    name = entries.get("name") if isinstance(entries, Mapping) else None
    label = name if isinstance(name, str) else number
    feature = declared.inner(f"features.{label}", entries, _FEATURE_KEYS)
    weight = feature.number("weight", Feature.weight)
    if weight <= 0:
        raise feature.error("weight", f"is {weight}; give a number above 0")
    return Feature(
        name=feature.snake_case("name"),
        transform=feature.one_of("transform", TRANSFORMS),
        weight=float(weight),
        missing=feature.one_of("missing", MISSING_RULES, Feature.missing),
        block=feature.snake_case("block") if feature.has("block") else None,
    )


def _parse_k(declared: DeclaredMapping) -> tuple[int, int]:
    default = (Segmentation.k_min, Segmentation.k_max)
    k = declared.list_of("k", default, form="[minimum, maximum], such as [2, 10]")
    if len(k) != 2:
        raise declared.error("k", f"is {list(k)}; give [minimum, maximum]")
    k_min, k_max = (declared.whole_number("k", entry) for entry in k)
    if not 2 <= k_min <= k_max <= MAX_K:
        raise declared.error(
            "k",
            f"is [{k_min}, {k_max}]; give [minimum, maximum] with "
            f"2 <= minimum <= maximum <= {MAX_K}",
        )
    return k_min, k_max


def _parse_pca(declared: DeclaredMapping, features: tuple[Feature, ...]) -> float | int:
    pca = declared.number("pca")
    columns = sum(
        MAX_LEVELS
        if feature.transform == "onehot"
        else 2
        if feature.missing == "impute"
        else 1
        for feature in features
    )
    is_in_range = 1 <= pca <= columns if isinstance(pca, int) else 0 < pca < 1
    if not is_in_range:
        raise declared.error(
            "pca",
            f"is {pca}; give a share of the variance between 0 and 1, or a whole "
            f"number of components from 1 to {columns}",
        )
    return pca


def _parse_pin(declared: DeclaredMapping) -> Pin:
    pin = declared.inner("pin", declared.entries["pin"], _PIN_KEYS)
    algorithm = pin.one_of("algorithm", ALGORITHMS)
    if algorithm in DENSITY_ALGORITHMS:
        with_k = [name for name in ALGORITHMS if name not in DENSITY_ALGORITHMS]
        raise pin.error(
            "algorithm", f"{algorithm} has no k to pin; give one of {', '.join(with_k)}"
        )
    k = pin.whole_number("k", pin.value("k"))
    if not 2 <= k <= MAX_K:
        raise pin.error("k", f"is {k}; give a whole number from 2 to {MAX_K}")
    return Pin(algorithm, k)


def _parse_minimum_share(declared: DeclaredMapping, k_min: int) -> float:
    share = declared.number("minimum_share", Segmentation.minimum_share)
    if not 0 <= share < 0.5:
        raise declared.error(
            "minimum_share", f"is {share}; give a share from 0 to below 0.5"
        )
    if share * k_min > 1:
        raise declared.error(
            "minimum_share",
            f"is {share}, and {k_min} segments cannot all have so many customers; give "
            f"at most {1 / k_min:.3g}, or a smaller minimum k",
        )
    return float(share)
