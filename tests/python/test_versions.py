"""Code that fits has a version: it changes with what it does, not with its words."""

import pytest

from customer_segmentation import versions

PACKAGE = "customer_segmentation"
FITS = f"{PACKAGE}.segmentation.fits"
PRODUCTS = f"{PACKAGE}.products.fits"
MODELS = f"{PACKAGE}.prediction.training_set"
ROOTS = [FITS, PRODUCTS, MODELS]


def hash_if(
    monkeypatch: pytest.MonkeyPatch, root: str, module: str, old: str, new: str
) -> str:
    """Return the hash of a root if the code of a module were another."""
    read = versions._source

    def changed(name: str) -> str | None:
        source = read(name)
        if name == f"{PACKAGE}.{module}" and source is not None:
            assert old in source
            return source.replace(old, new)
        return source

    with monkeypatch.context() as patch:
        patch.setattr(versions, "_source", changed)
        return versions.code_hash.__wrapped__(root)


@pytest.mark.parametrize("root", ROOTS)
def test_the_hash_is_the_same_each_time(root: str) -> None:
    assert versions.code_hash.__wrapped__(root) == versions.code_hash(root)


@pytest.mark.parametrize(
    ("root", "module", "old", "new"),
    [
        (FITS, "segmentation.fits", "[1 / 6, 5 / 6]", "[1 / 4, 3 / 4]"),
        (FITS, "segmentation.transforms", "np.", "np.core."),
        (FITS, "matching", "    return ", "    return not "),
        (PRODUCTS, "products.words", "return", "return not"),
        (PRODUCTS, "products.judge", "return", "return not"),
        (MODELS, "prediction.purchases.hurdle", "    return ", "    return not "),
        (MODELS, "prediction.segments", "max_depth=5", "max_depth=6"),
        (MODELS, "prediction.interests.choice", "return", "return not"),
        (MODELS, "prediction.psi", "RARE_SHARE = 0.01", "RARE_SHARE = 0.02"),
    ],
)
def test_mended_code_has_another_hash(
    monkeypatch: pytest.MonkeyPatch, root: str, module: str, old: str, new: str
) -> None:
    assert hash_if(monkeypatch, root, module, old, new) != versions.code_hash(root)


@pytest.mark.parametrize(
    ("root", "module"),
    [
        (FITS, "segmentation.fits"),
        (PRODUCTS, "products.fits"),
        (MODELS, "prediction.tasks"),
    ],
)
def test_other_words_do_not_fit_again(
    monkeypatch: pytest.MonkeyPatch, root: str, module: str
) -> None:
    docstring = hash_if(monkeypatch, root, module, '    """Return ', '    """Give ')
    assert docstring == versions.code_hash(root)
    comment = hash_if(monkeypatch, root, module, "\n\n", "\n\n# a remark\n\n")
    assert comment == versions.code_hash(root)


@pytest.mark.parametrize(
    ("root", "module"),
    [
        (FITS, "segmentation.explain"),
        (FITS, "engine"),
        (PRODUCTS, "products.tables"),
        (MODELS, "prediction.evaluations"),
        (MODELS, "prediction.drift"),
        (MODELS, "engine"),
    ],
)
def test_code_that_fits_nothing_does_not_count(
    monkeypatch: pytest.MonkeyPatch, root: str, module: str
) -> None:
    found = hash_if(monkeypatch, root, module, "return", "return not")
    assert found == versions.code_hash(root)


def test_versions_are_those_of_all_libraries_that_compute() -> None:
    found = versions.versions_of(FITS)
    assert set(found) == {"python", "numpy", "scipy", "scikit-learn", "code"}
    assert len(found["code"]) == 8
