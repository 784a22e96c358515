"""Declared segmentations: what is read, and the message for every mistake."""

import pytest

from customer_segmentation.errors import InputError
from customer_segmentation.segmentation.declare import (
    Declarations,
    Feature,
    Pin,
    SearchBudget,
    Segmentation,
    read_segmentations,
)

AGE = {"name": "age", "transform": "standard"}
INCOME = {"name": "annual_income", "transform": "log"}


def read(segmentations: object, **variables: object) -> Declarations:
    return read_segmentations(
        {
            "segmentations": segmentations,
            "source_systems": ["mall"],
            "source_system_catalog": {"mall": {}, "online_retail": {}},
            **variables,
        }
    )


def parse(entries: object, name: object = "mall_profile") -> tuple[Segmentation, ...]:
    return read({name: entries}).segmentations


def declared(**entries: object) -> dict:
    return {"source_system": "mall", "features": [AGE, INCOME], **entries}


def without(entries: dict, key: str) -> dict:
    return {name: value for name, value in entries.items() if name != key}


def test_every_key_is_read() -> None:
    entries = declared(
        description="Who they are.",
        features=[
            {"name": "age", "transform": "power", "missing": "impute", "block": "who"},
            {"name": "city", "transform": "onehot", "weight": 1},
        ],
        algorithms=["kmeans", "hdbscan"],
        k=[3, 8],
        pca=0.9,
        pin={"algorithm": "ward", "k": 9},
        minimum_share=0.05,
        value_feature="monetary",
    )

    assert parse(entries) == (
        Segmentation(
            name="mall_profile",
            source_system="mall",
            features=(
                Feature("age", "power", 1.0, "impute", "who"),
                Feature("city", "onehot", 1.0, "exclude", None),
            ),
            algorithms=("kmeans", "hdbscan"),
            k_min=3,
            k_max=8,
            pca=0.9,
            pin=Pin("ward", 9),
            minimum_share=0.05,
            value_feature="monetary",
            description="Who they are.",
        ),
    )


def test_absent_and_null_keys_have_their_defaults() -> None:
    (plain,) = parse(declared())
    (nulls,) = parse(declared(k=None, pca=None, pin=None, algorithms=None))

    assert plain == nulls
    assert plain.algorithms == ("kmeans", "ward", "gaussian_mixture", "hdbscan")
    assert (plain.k_min, plain.k_max, plain.minimum_share) == (2, 10, 0.03)
    assert (plain.pca, plain.pin, plain.value_feature) == (None, None, None)


@pytest.mark.parametrize("nothing", [None, {}])
def test_no_segmentation_needs_to_be_declared(nothing: object) -> None:
    assert read(nothing).segmentations == ()


def test_segmentations_of_other_source_systems_are_checked_but_not_returned() -> None:
    off = declared(source_system="online_retail")

    assert parse(off) == ()
    with pytest.raises(InputError, match="segmentation shop: k: is"):
        parse({**off, "k": [1, 2]}, name="shop")


@pytest.mark.parametrize("pca", [0.001, 0.999, 1, 2])
def test_pca_is_a_share_or_a_number_of_components(pca: float) -> None:
    (segmentation,) = parse(declared(pca=pca))

    assert segmentation.pca == pca
    assert type(segmentation.pca) is type(pca)


def feature(**entries: object) -> dict:
    return declared(features=[{**AGE, **entries}])


@pytest.mark.parametrize(
    ("entries", "key", "remedy"),
    [
        # keys
        (declared(featurs=[AGE]), "featurs", "did you mean 'features'"),
        (declared(**{"0": 1}), "0", "known are description, source_system"),
        (feature(wieght=2), "features.age.wieght", "did you mean 'weight'"),
        (declared(pin={"algo": "ward"}), "pin.algo", "did you mean 'algorithm'"),
        (without(declared(), "features"), "features", "is missing"),
        (without(declared(), "source_system"), "source_system", "is missing"),
        (declared(features=[{"name": "age"}]), "features.age.transform", "is missing"),
        (declared(features=[{"transform": "log"}]), "features.1.name", "is missing"),
        (declared(pin={"algorithm": "ward"}), "pin.k", "is missing"),
        # types
        ("mall", "", "give a mapping with keys of description"),
        ([AGE], "", "give a mapping with keys of description"),
        (declared(description=3), "description", "give a text"),
        (declared(features=AGE), "features", "give a list"),
        (declared(features="age"), "features", "give a list"),
        (declared(features=["age"]), "features.1", "give a mapping with keys of name"),
        (declared(algorithms="kmeans"), "algorithms", "give a list"),
        (declared(algorithms=[["kmeans"]]), "algorithms", "known are kmeans"),
        (declared(k=5), "k", "give [minimum, maximum]"),
        (declared(k="2-5"), "k", "give [minimum, maximum]"),
        (declared(k=[2, 3, 4]), "k", "give [minimum, maximum]"),
        (declared(k=[2, "five"]), "k", "whole number"),
        (declared(k=[True, 5]), "k", "whole number"),
        (declared(k=[2, 5.0]), "k", "whole number"),
        (declared(pca="0.9"), "pca", "give a number"),
        (declared(pca=True), "pca", "give a number"),
        (declared(pin="kmeans"), "pin", "keys of algorithm, k"),
        (declared(pin={"algorithm": "ward", "k": "5"}), "pin.k", "whole number"),
        (declared(minimum_share="5%"), "minimum_share", "give a number"),
        (declared(minimum_share=float("nan")), "minimum_share", "give a number"),
        (declared(value_feature=["age"]), "value_feature", "give a text"),
        (feature(weight="heavy"), "features.age.weight", "give a number"),
        # names
        (declared(source_system="mal"), "source_system", "did you mean 'mall'"),
        (declared(algorithms=["k_means"]), "algorithms", "did you mean 'kmeans'"),
        (feature(transform="logs"), "features.age.transform", "did you mean 'log'"),
        (feature(missing="drop"), "features.age.missing", "exclude, impute"),
        (feature(name="Age"), "features.Age.name", "snake case"),
        (feature(block="my block"), "features.age.block", "snake case"),
        (declared(value_feature="Age"), "value_feature", "snake case"),
        (declared(features=[AGE, INCOME, AGE]), "features", "'age' is listed twice"),
        (declared(algorithms=["ward", "ward"]), "algorithms", "twice"),
        (declared(features=[]), "features", "at least one"),
        (declared(algorithms=[]), "algorithms", "at least one"),
        # ranges
        (declared(k=[1, 5]), "k", "2 <= minimum"),
        (declared(k=[6, 5]), "k", "minimum <= maximum"),
        (declared(k=[2, 51]), "k", "maximum <= 50"),
        (declared(pca=0), "pca", "from 1 to 2"),
        (declared(pca=3), "pca", "from 1 to 2"),
        (declared(pca=0.0), "pca", "between 0 and 1"),
        (declared(pca=1.0), "pca", "between 0 and 1"),
        (declared(pin={"algorithm": "kmeens", "k": 5}), "pin.algorithm", "'kmeans'"),
        (declared(pin={"algorithm": "dbscan", "k": 5}), "pin.algorithm", "has no k"),
        (declared(pin={"algorithm": "hdbscan", "k": 5}), "pin.algorithm", "has no k"),
        (declared(pin={"algorithm": "ward", "k": 1}), "pin.k", "from 2 to 50"),
        (declared(minimum_share=-0.01), "minimum_share", "from 0 to below 0.5"),
        (declared(minimum_share=0.5), "minimum_share", "from 0 to below 0.5"),
        (declared(minimum_share=0.4, k=[3, 4]), "minimum_share", "at most 0.333"),
        (feature(weight=0), "features.age.weight", "above 0"),
        (feature(weight=-1.5), "features.age.weight", "above 0"),
    ],
)
def test_a_mistake_names_segmentation_key_and_remedy(
    entries: object, key: str, remedy: str
) -> None:
    with pytest.raises(InputError) as raised:
        parse(entries)

    message = str(raised.value)
    assert message.startswith(f"segmentation mall_profile: {key}".rstrip(": ") + ": ")
    assert remedy in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["Mall", "mall-profile", "2_mall", "mall__x", "", 7])
def test_a_segmentation_is_named_in_snake_case(name: object) -> None:
    with pytest.raises(InputError, match=f"segmentation {name}: .*snake case"):
        parse(declared(), name=name)


def test_segmentations_must_be_a_mapping() -> None:
    with pytest.raises(InputError, match=r"segmentations: .*mapping"):
        read([declared()])


def test_the_search_budget_has_defaults() -> None:
    assert read({}).budget == SearchBudget(20, null_draws=99, refits=100)
    counts = {
        "segmentation_resamples": 2,
        "segmentation_null_draws": 1,
        "segmentation_refits": 3,
    }
    assert read({}, **counts).budget == SearchBudget(2, null_draws=1, refits=3)


@pytest.mark.parametrize(
    ("name", "value", "minimum"),
    [
        ("segmentation_resamples", 1, 2),
        ("segmentation_resamples", True, 2),
        ("segmentation_null_draws", 0, 1),
        ("segmentation_null_draws", "99", 1),
        ("segmentation_null_draws", 9.0, 1),
        ("segmentation_refits", 1, 2),
    ],
)
def test_the_search_budget_is_checked(name: str, value: object, minimum: int) -> None:
    with pytest.raises(InputError) as raised:
        read({}, **{name: value})

    expected = f"{name}: is {value!r}; give a whole number of at least {minimum}"
    assert str(raised.value) == expected
