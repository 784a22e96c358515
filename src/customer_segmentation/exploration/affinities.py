"""Compare the pairs of products in baskets with chance, scope by scope.

A scope is the whole shop or one segment. The baskets of one customer are alike: whoever
buys two things every week would count as often as there are weeks. So buyers are
counted who have a pair in at least one basket. By chance their mean is at most that of
the baskets, and they are independent of each other, so that the p-value holds however
alike the baskets of a buyer are.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.exploration.chance import (
    MonthOfBaskets,
    Values,
    expected_together,
    poisson_tail,
)
from customer_segmentation.parallel import single_threaded

__all__ = ["AFFINITIES", "compare_with_chance"]

AFFINITIES = pa.schema(
    [
        ("scope_number", pa.int64()),
        ("entity_number", pa.int32()),
        ("other_entity_number", pa.int32()),
        ("buyers_together", pa.int64()),
        ("baskets_together", pa.int64()),
        ("expected_baskets", pa.float64()),
        ("p_value", pa.float64()),
    ]
)
# the last digits of a sum depend on the processor
BITS = 30


@single_threaded()
def compare_with_chance(
    pairs: engine.Relation,
    scope_entities: engine.Relation,
    scope_baskets: engine.Relation,
) -> pa.Table:
    """Return the p-value of each pair of products.

    Parameters
    ----------
    pairs, scope_entities, scope_baskets : engine.Relation
        ``int_exploration__entity_pairs``, and the margins of the baskets that have
        them, ``int_exploration__scope_entities`` and
        ``int_exploration__scope_baskets``.

    Returns
    -------
    pyarrow.Table
        ``AFFINITIES``: one row per scope and pair.
    """
    columns = [name for name in AFFINITIES.names if name in pairs.columns]
    found = engine.read(pairs, columns, order_by=columns[:3])
    products = _by_scope(scope_entities, "entity_number")
    baskets = _by_scope(scope_baskets, "basket_entities")
    tables = [AFFINITIES.empty_table()]
    for scope, of_scope in found.groupby("scope_number"):
        first, second, together = (
            of_scope[name].to_numpy(np.int64)
            for name in ("entity_number", "other_entity_number", "buyers_together")
        )
        expected = expected_together(
            _months(products[scope], baskets[scope]), first, second
        )
        compared = of_scope.assign(
            expected_baskets=_rounded(expected),
            p_value=_rounded(poisson_tail(together, expected)),
        )
        tables.append(pa.Table.from_pandas(compared, AFFINITIES, preserve_index=False))
    return pa.concat_tables(tables)


def _by_scope(margins: engine.Relation, column: str) -> dict[int, pd.DataFrame]:
    keys = ["scope_number", "month_date", column]
    frame = engine.read(margins, [*keys, "baskets"], order_by=keys)
    return dict(iter(frame.groupby("scope_number")))


def _months(products: pd.DataFrame, baskets: pd.DataFrame) -> Iterator[MonthOfBaskets]:
    sizes = dict(iter(baskets.groupby("month_date")))
    for month, of_month in products.groupby("month_date"):
        columns = (
            *(of_month["entity_number"], of_month["baskets"]),
            *(sizes[month]["basket_entities"], sizes[month]["baskets"]),
        )
        yield MonthOfBaskets(*(column.to_numpy(np.int64) for column in columns))


def _rounded(values: Values) -> Values:
    """Return numbers with fewer binary digits, about nine decimal ones."""
    mantissas, exponents = np.frexp(values)
    return np.asarray(np.ldexp(np.round(mantissas * 2.0**BITS) / 2.0**BITS, exponents))
