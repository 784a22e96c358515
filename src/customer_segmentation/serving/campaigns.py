"""The effects of all campaigns, from the table of their sums."""

from dataclasses import asdict, fields

import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.serving.effects import Effect, GroupSums, estimate_effect

__all__ = ["EFFECTS", "measure_campaigns"]

KEYS = ["campaign", "source_system", "measure"]
SUMS = [field.name for field in fields(GroupSums)]
EFFECTS = pa.schema(
    [(name, pa.string()) for name in KEYS]
    + [(field.name, pa.float64()) for field in fields(Effect)]
)


def measure_campaigns(group_sums: engine.Relation) -> pa.Table:
    """Estimate the effect of each campaign that has both sides.

    Parameters
    ----------
    group_sums : Relation
        From ``dbt.ref``: sums by campaign, source system, measure and ``side``, which
        is ``treated`` or ``control``.

    Returns
    -------
    pyarrow.Table
        ``EFFECTS``: the fields of ``Effect`` by campaign, source system and measure.
        Campaigns with fewer than two customers on a side are left out.
    """
    sums = engine.read(group_sums, [*KEYS, "side", *SUMS], order_by=[*KEYS, "side"])
    effects = []
    for key, sides in sums.groupby(KEYS, sort=True):
        groups = {
            side: GroupSums(int(customers), *map(float, others))
            for side, customers, *others in sides[["side", *SUMS]].itertuples(
                index=False
            )
        }
        if len(groups) == 2 and min(one.customers for one in groups.values()) > 1:
            effect = estimate_effect(groups["treated"], groups["control"])
            effects.append({**dict(zip(KEYS, key, strict=True)), **asdict(effect)})
    return pa.Table.from_pylist(effects, EFFECTS)
