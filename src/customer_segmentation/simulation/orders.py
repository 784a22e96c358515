"""A small sample of the source system ``orders``: one file, with planted dirt.

It is off by default, so the sample of `simulate_files` does not have it.
"""

import csv
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

__all__ = ["SimulatedOrders", "simulate_orders"]

HEADERS = ("Order ID", "Customer", "Date", "Total", "Order status", "Country")
FIRST_DAY = datetime(2024, 1, 1)
DAYS = 600


@dataclass(frozen=True)
class SimulatedOrders:
    """What a sample of orders holds.

    Parameters
    ----------
    path : Path
        The CSV file.
    rows : int
        Its rows, those with dirt among them.
    rejected : dict of str to int
        The rows with dirt, by the reason why they are rejected.
    customers, orders : int
        The customers of usable orders, and these orders.
    amount : Decimal
        The sum of sales less returns; orders that are neither do not count.
    """

    path: Path
    rows: int
    rejected: dict[str, int]
    customers: int
    orders: int
    amount: Decimal


def simulate_orders(
    folder: Path, *, seed: int = 0, orders: int = 500
) -> SimulatedOrders:
    """Write ``orders.csv`` into a folder, and return the truth about it.

    Parameters
    ----------
    folder : Path
        A folder that exists.
    seed : int
        Seed of the random numbers. The same seed gives the same file.
    orders : int
        Number of orders without dirt.
    """
    rng = np.random.default_rng(seed)
    customers, total = set[str](), Decimal(0)
    rows: list[tuple[str, ...]] = []
    for number in range(orders):
        # one order in twenty is of a guest
        customer = "" if number % 20 == 7 else f"C{rng.integers(1, orders // 4)}"
        status = ("Paid", "Refunded", "Pending", "")[
            int(rng.choice(4, p=(0.7, 0.06, 0.04, 0.2)))
        ]
        amount = Decimal(int(rng.integers(100, 20_000))) / 100
        at = FIRST_DAY + timedelta(
            days=int(rng.integers(DAYS)), minutes=int(rng.integers(1440))
        )
        rows.append((f"A{number}", customer, f"{at}", f"{amount}", status, "Norway"))
        total += {"Refunded": -amount, "Pending": Decimal(0)}.get(status, amount)
        customers |= {customer} - {""}
    clean = rows[0]
    dirt = {
        "missing_key": ("", *clean[1:]),
        "unreadable_date": ("X1", clean[1], "soon", *clean[3:]),
        "unreadable_number": ("X2", *clean[1:3], "much", *clean[4:]),
        "unknown_status": ("X3", *clean[1:4], "lost in space", clean[5]),
        "exact_duplicate": clean,
    }
    path = folder / "orders.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([HEADERS, *rows, *dirt.values()])
    return SimulatedOrders(
        path,
        len(rows) + len(dirt),
        dict.fromkeys(dirt, 1),
        len(customers),
        len(rows),
        total,
    )
