"""The steps that the dbt Python models run: read once, compute, and return a table.

``products`` is the relation ``products`` and ``fits`` is ``int_products__fits``;
``variables`` are the vars that ``read_declarations`` reads. Tables have the schemas of
``tables``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.products.declare import read_declarations
from customer_segmentation.products.fits import (
    FittedCategories,
    fingerprint,
    fit_products,
)
from customer_segmentation.products.judge import Budget
from customer_segmentation.products.tables import (
    ASSIGNMENTS,
    FITS,
    PRODUCTS,
    TERMS,
    CategoriesFit,
    read_kinds,
    read_last_fits,
    read_model,
    read_own_categories,
    read_products,
)
from customer_segmentation.products.words import KIND
from customer_segmentation.stored import sealed


def fit_categories(
    products: engine.Relation,
    kinds: engine.Relation,
    variables: Mapping[str, Any],
    earlier: engine.Relation | None,
) -> pa.Table:
    """Learn the categories of each declared source system.

    Parameters
    ----------
    kinds : engine.Relation
        The seed ``product_kinds``.
    earlier : engine.Relation or None
        The fits so far.

    Returns
    -------
    pyarrow.Table
        ``FITS``: one row per source system, unless its last fit has the same
        products, kinds and declaration, or no product has a word or a category.
    """
    budget = Budget(
        resamples=variables.get("segmentation_resamples", Budget.resamples),
        null_draws=variables.get("segmentation_null_draws", Budget.null_draws),
    )
    last_fits = read_last_fits(earlier)
    known_kinds = read_kinds(kinds)
    rows = []
    for declaration in read_declarations(variables):
        name = declaration.source_system
        frame = read_products(products, name)
        own_names = read_own_categories(products, name)
        digest = fingerprint(frame, declaration, known_kinds, own_names)
        last = last_fits.get(name)
        if frame.empty or (last is not None and last.fingerprint == digest):
            continue
        found = fit_products(
            frame,
            declaration,
            budget,
            read_model(earlier, last.fit_id) if last else None,
            {last.max_category_id} if last else (),
            known_kinds,
            own_names,
        )
        if found is None:
            continue
        fitted, judged = found
        number = last.fit_number + 1 if last else 1
        largest = last.max_category_id if last else 0
        fit_id = f"{name}:{number}"
        rows.append(
            {
                "fit_id": fit_id,
                "source_system": name,
                "fit_number": number,
                "products": len(frame),
                "fingerprint": digest,
                "n_categories": len(fitted.ids),
                "max_category_id": max(largest, *fitted.ids),
                "is_own": fitted.is_own,
                "stability_mean": judged.stability_mean,
                "stability_min": judged.stability_min,
                "seed_agreement": judged.seed_agreement,
                "silhouette": judged.silhouette,
                "p_value": judged.p_value,
                "model": sealed(fitted.to_json(), fit_id),
            }
        )
    return pa.Table.from_pylist(rows, FITS)


def assign_products(
    products: engine.Relation, fits: engine.Relation, variables: Mapping[str, Any]
) -> engine.Stream:
    """Give each product its own category, or the nearest by text; nothing is fitted.

    Returns
    -------
    engine.Stream
        ``ASSIGNMENTS``: one row per product with a category. A product has none if it
        has no category of its own and no known word.
    """
    return engine.map_batches(
        products,
        ["product_key", "source_system", "product_name", "category"],
        _CategoryAssigner.read(fits, variables),
        ASSIGNMENTS,
        where=PRODUCTS,
    )


def list_terms(fits: engine.Relation, variables: Mapping[str, Any]) -> pa.Table:
    """Return names and telling terms of the categories of the last fits.

    Returns
    -------
    pyarrow.Table
        ``TERMS``: one row per source system, category and term; a category without
        terms has one row, whose term is null.
    """
    rows = []
    for record, fitted in _CategoryAssigner.read(fits, variables).fits:
        for category in fitted.ids:
            for rank, term in enumerate(fitted.terms[category] or (None,), start=1):
                rows.append(
                    {
                        "source_system": record.source_system,
                        "fit_id": record.fit_id,
                        "category_id": category,
                        "category_name": fitted.names[category],
                        "term_rank": rank,
                        "term": term and term.term.removeprefix(KIND),
                        "term_share": term and term.share,
                        "lift": term and term.lift,
                    }
                )
    return pa.Table.from_pylist(rows, TERMS)


@dataclass(frozen=True)
class _CategoryAssigner:
    """Assigns the products of a batch by the last fits; engines copy it to workers."""

    fits: tuple[tuple[CategoriesFit, FittedCategories], ...]

    @classmethod
    def read(
        cls, fits: engine.Relation, variables: Mapping[str, Any]
    ) -> "_CategoryAssigner":
        declared = {one.source_system for one in read_declarations(variables)}
        return cls(
            tuple(
                (record, read_model(fits, record.fit_id))
                for name, record in read_last_fits(fits).items()
                if name in declared
            )
        )

    def __call__(self, batch: pa.Table) -> pa.Table:
        frame = engine.to_frame(batch)
        tables = [ASSIGNMENTS.empty_table()]
        for record, fitted in self.fits:
            rows = frame[frame["source_system"] == record.source_system]
            if rows.empty:
                continue
            found = fitted.assign(
                *(_texts(rows[one]) for one in ("product_name", "category"))
            )
            found = found.set_axis(rows.index).assign(
                product_key=rows["product_key"],
                source_system=record.source_system,
                fit_id=record.fit_id,
            )
            found = found[np.asarray(found["category_id"] > 0)]
            tables.append(
                pa.Table.from_pandas(
                    found[ASSIGNMENTS.names], ASSIGNMENTS, preserve_index=False
                )
            )
        return pa.concat_tables(tables)


def _texts(column: Any) -> list[str | None]:
    return [one if isinstance(one, str) else None for one in column]
