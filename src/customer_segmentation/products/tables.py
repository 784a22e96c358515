"""The edge: relations of the engine become frames, and results become Arrow tables."""

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.products.fits import FittedCategories, clean
from customer_segmentation.products.kinds import Kinds
from customer_segmentation.stored import CATEGORY_FITS

__all__ = [
    "ASSIGNMENTS",
    "FITS",
    "PRODUCTS",
    "TERMS",
    "CategoriesFit",
    "read_kinds",
    "read_last_fits",
    "read_model",
    "read_own_categories",
    "read_products",
]

# of more products, those with the lowest hash of the key are fitted
FITTED_PRODUCTS = 20_000
PRODUCTS = {"is_product": True}

TEXT, NUMBER, COUNT = pa.string(), pa.int32(), pa.int64()
MEASURE, FLAG = pa.float64(), pa.bool_()
FITS = pa.schema(
    [
        *[(name, TEXT) for name in ("fit_id", "source_system")],
        ("fit_number", NUMBER),
        ("products", COUNT),
        ("fingerprint", TEXT),
        *[(name, NUMBER) for name in ("n_categories", "max_category_id")],
        ("is_own", FLAG),
        *[(name, MEASURE) for name in ("stability_mean", "stability_min")],
        *[(name, MEASURE) for name in ("seed_agreement", "silhouette", "p_value")],
        ("model", TEXT),
    ]
)
TERMS = pa.schema(
    [
        ("source_system", TEXT),
        ("fit_id", TEXT),
        ("category_id", NUMBER),
        ("category_name", TEXT),
        ("term_rank", NUMBER),
        ("term", TEXT),
        ("term_share", MEASURE),
        ("lift", MEASURE),
    ]
)
ASSIGNMENTS = pa.schema(
    [
        *[(name, TEXT) for name in ("product_key", "source_system", "fit_id")],
        ("category_id", NUMBER),
        ("category_source", TEXT),
        ("confidence", MEASURE),
    ]
)


@dataclass(frozen=True)
class CategoriesFit:
    """A row of ``FITS`` without its measures and its model, which may be large."""

    fit_id: str
    source_system: str
    fit_number: int
    fingerprint: str
    max_category_id: int


def read_products(products: engine.Relation, source_system: str) -> pd.DataFrame:
    """Read the products of a source system, sorted by key; of very many, a sample."""
    return engine.read(
        products,
        ["product_key", "product_name", "category"],
        order_by="product_key",
        where={"source_system": source_system, **PRODUCTS},
        limit=FITTED_PRODUCTS,
    )


def read_own_categories(products: engine.Relation, source_system: str) -> list[str]:
    """Read the shop's own categories, those of all products and not of a sample."""
    frame = engine.read(
        products,
        ["category"],
        order_by="product_key",
        where={"source_system": source_system, **PRODUCTS},
    )
    return sorted({one for one in map(clean, frame["category"].unique()) if one})


def read_kinds(kinds: engine.Relation) -> Kinds:
    """Read the seed ``product_kinds``."""
    frame = engine.read(kinds, ["term", "kind", "priority"], order_by="term")
    return Kinds.from_rows(frame.to_dict("records"))


def read_last_fits(fits: engine.Relation | None) -> dict[str, CategoriesFit]:
    """Read the last fit of each source system, sorted by name."""
    if fits is None:
        return {}
    columns = list(CategoriesFit.__dataclass_fields__)
    frame = engine.read(fits, columns, order_by="fit_id")
    CATEGORY_FITS.check(frame)
    records = [CategoriesFit(**row) for row in frame.to_dict("records")]
    records.sort(key=lambda one: (one.source_system, one.fit_number))
    return {one.source_system: one for one in records}


def read_model(fits: engine.Relation, fit_id: str) -> FittedCategories:
    """Read the model of one fit."""
    return CATEGORY_FITS.open_fit(fits, fit_id, FittedCategories.from_json)
