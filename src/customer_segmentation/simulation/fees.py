"""Lines of the online retailer that are no product: postage, fees, adjustments."""

from dataclasses import dataclass

import numpy as np

from customer_segmentation.simulation.catalogue import Catalogue
from customer_segmentation.simulation.invoices import GUEST, Lines

_A, _C, _SALE = 2, 1, 0


@dataclass(frozen=True)
class Fee:
    """A kind of line that is no product.

    Parameters
    ----------
    stock_code : str
        One of ``catalogue.FEES``.
    share : float
        Of the invoices that can have it.
    pounds : tuple of float
        Between which a price lies; equal bounds mean always that price.
    who : str
        Invoices that can have it: "abroad", "guest", "customer".
    prefix : int
        0 for a line on the sale's own invoice; 1 for a C, 2 for an A invoice of its
        own, a moment after the sale.
    keeps_customer : bool
        Whether an invoice of its own names the customer.
    """

    stock_code: str
    share: float
    pounds: tuple[float, float]
    who: str
    prefix: int = _SALE
    keeps_customer: bool = True


FEE_KINDS = (
    Fee("POST", 0.7, (15, 40), "abroad"),
    Fee("DOT", 0.03, (20, 400), "guest"),
    Fee("M", 0.008, (1, 60), "customer"),
    Fee("D", 0.004, (5, 60), "customer", _C),
    Fee("C2", 0.006, (50, 50), "customer"),
    Fee("BANK CHARGES", 0.001, (15, 15), "guest"),
    Fee("AMAZONFEE", 0.001, (1_000, 13_000), "guest", _C, keeps_customer=False),
    Fee("CRUK", 0.001, (10, 900), "customer", _C),
    Fee("PADS", 0.0005, (0.001, 0.001), "customer"),
    Fee("gift_0001_20", 0.001, (17.02, 17.02), "guest"),
    Fee("DCGS0003", 0.001, (0.83, 2.46), "guest"),
    Fee("B", 0.0, (-11_062.06, -11_062.06), "guest", _A, keeps_customer=False),
)


def fees(sold: Lines, catalogue: Catalogue, rng: np.random.Generator) -> Lines:
    """Draw the fees of sold lines, at least one of each kind where one can be.

    Their invoices are those of ``sold``, or numbers after the last of them.
    """
    firsts = np.flatnonzero(np.append(True, sold.invoices[1:] != sold.invoices[:-1]))
    is_guest = sold.customers[firsts] == GUEST
    who = {
        "abroad": ~is_guest & (sold.countries[firsts] != 0),
        "guest": is_guest,
        "customer": ~is_guest,
    }
    free = int(sold.invoices[-1]) + 1
    parts = []
    for fee in FEE_KINDS:
        able = firsts[who[fee.who]]
        size = min(len(able), max(1, round(fee.share * len(able))))
        lines = sold.taken(np.sort(rng.choice(able, size, replace=False)))
        thousandths = np.rint(rng.uniform(*fee.pounds, size) * 100) * 10
        if fee.pounds[0] == fee.pounds[1]:
            thousandths = np.full(size, round(fee.pounds[0] * 1_000))
        position = np.full(size, catalogue.fee(fee.stock_code))
        is_own = fee.prefix != _SALE
        parts.append(
            Lines(
                invoices=free + np.arange(size) if is_own else lines.invoices,
                prefixes=np.full(size, fee.prefix, np.int8),
                codes=position,
                descriptions=position,
                quantities=np.full(size, -1 if fee.prefix == _C else 1),
                seconds=lines.seconds,
                prices=thousandths.astype(np.int64),
                customers=lines.customers
                if fee.keeps_customer
                else np.full(size, GUEST),
                countries=lines.countries,
            )
        )
        free += size if is_own else 0
    return Lines(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in Lines.__dataclass_fields__
        )
    )
