"""Declare: the var ``product_categories``, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from customer_segmentation.errors import InputError

__all__ = ["CategoriesDeclaration", "read_declarations"]

MAX_CATEGORIES = 50
NEEDED_RELATIONS = ("products", "transaction_lines")


@dataclass(frozen=True)
class CategoriesDeclaration:
    """How many categories the products of a source system may have.

    Parameters
    ----------
    source_system : str
        Whose products.
    k_min, k_max : int
        Minimum and maximum number of categories learned from text.
    """

    source_system: str
    k_min: int = 10
    k_max: int = 16


def read_declarations(variables: Mapping[str, Any]) -> list[CategoriesDeclaration]:
    """Read and check the var ``product_categories``.

    Parameters
    ----------
    variables : mapping
        ``product_categories`` (a mapping of source systems to ``{k: [minimum,
        maximum]}``; None declares none), ``source_systems`` and
        ``source_system_catalog``.

    Returns
    -------
    list of CategoriesDeclaration
        Sorted by source system; those that are switched off are checked only.

    Raises
    ------
    InputError
        At the first mistake; names the source system and a remedy.

    Examples
    --------
    >>> shop = {"relations": ["products", "transaction_lines"]}
    >>> read_declarations({
    ...     "product_categories": {"shop": {"k": [8, 12]}},
    ...     "source_systems": ["shop"],
    ...     "source_system_catalog": {"shop": shop},
    ... })
    [CategoriesDeclaration(source_system='shop', k_min=8, k_max=12)]
    """
    declared = variables["product_categories"] or {}
    if not isinstance(declared, Mapping):
        raise InputError(
            f"product_categories: is {declared!r}; give a mapping of source systems,"
            " such as {online_retail: {k: [10, 16]}}"
        )
    catalog = variables["source_system_catalog"]
    read = []
    for name in sorted(declared, key=str):
        where = f"product_categories: {name}"
        if name not in catalog:
            known = ", ".join(sorted(catalog))
            raise InputError(f"{where}: is no source system; known are {known}")
        missing = set(NEEDED_RELATIONS).difference(catalog[name].get("relations", ()))
        if missing:
            raise InputError(
                f"{where}: has no {' and '.join(sorted(missing))} in"
                " source_system_catalog; remove the entry, or add the relations"
            )
        read.append(_parse(name, declared[name], where))
    return [one for one in read if one.source_system in variables["source_systems"]]


def _parse(name: str, entries: object, where: str) -> CategoriesDeclaration:
    if entries is None:
        return CategoriesDeclaration(name)
    if not isinstance(entries, Mapping) or set(entries) - {"k"}:
        raise InputError(f"{where}: is {entries!r}; give {{k: [minimum, maximum]}}")
    default = CategoriesDeclaration(name)
    k = entries.get("k", [default.k_min, default.k_max])
    if (
        not isinstance(k, list | tuple)
        or len(k) != 2
        or not all(type(one) is int for one in k)
        or not 2 <= k[0] <= k[1] <= MAX_CATEGORIES
    ):
        raise InputError(
            f"{where}: k: is {k!r}; give [minimum, maximum] with"
            f" 2 <= minimum <= maximum <= {MAX_CATEGORIES}"
        )
    return CategoriesDeclaration(name, *k)
