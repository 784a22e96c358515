"""The mall: profiles with five planted groups of income and spending score."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from customer_segmentation.simulation import text
from customer_segmentation.simulation.chunking import Chunk, chunks
from customer_segmentation.simulation.dirt import (
    Dirt,
    DirtKind,
    Ledger,
    Row,
    exact_duplicate,
)
from customer_segmentation.simulation.writing import CsvWriter, table_writer

AGE, INCOME, SCORE = "Age", "Annual Income (k$)", "Spending Score (1-100)"
HEADERS = ("CustomerID", "Gender", AGE, INCOME, SCORE)
TRUTH_HEADERS = ("customer_id", "segment")
_MISSING_SHARE = 0.002
_BOUNDS = {AGE: (18, 70), INCOME: (15, 140), SCORE: (1, 99)}


@dataclass(frozen=True)
class MallSegment:
    """A planted group: mean and standard deviation of each measure.

    Parameters
    ----------
    name : str
        What the truth calls it.
    share, female_share : float
        Of the customers; of the group.
    age, income, score : tuple of float
        Years, thousands of dollars a year, points.
    """

    name: str
    share: float
    female_share: float
    age: tuple[float, float]
    income: tuple[float, float]
    score: tuple[float, float]


SEGMENTS = (
    MallSegment("average", 0.40, 0.59, (42, 15), (55, 8), (50, 6)),
    MallSegment("affluent spender", 0.20, 0.54, (33, 4), (88, 13), (82, 8)),
    MallSegment("affluent saver", 0.18, 0.46, (41, 10), (89, 13), (17, 8)),
    MallSegment("young spender", 0.11, 0.59, (25, 5), (26, 6), (79, 9)),
    MallSegment("modest saver", 0.11, 0.61, (46, 12), (27, 6), (20, 9)),
)


def simulate_mall(
    folder: Path,
    truth_folder: Path,
    ledger: Ledger,
    *,
    seed: int,
    customers: int,
    file_format: str,
    chunk_customers: int,
) -> None:
    """Write the profiles, and the group that each was drawn from."""
    dirt = Dirt("mall", "customers", _dirt_kinds(customers), ledger)
    with (
        table_writer(folder, "customers", HEADERS, file_format) as writer,
        CsvWriter(truth_folder / "mall_customers.csv", TRUTH_HEADERS) as truth,
    ):
        for chunk in chunks(seed, "mall", customers, chunk_customers):
            profiles, planted = _profiles(chunk)
            writer.write(dirt.added_to(profiles, chunk.rng))
            truth.write(planted)


def _profiles(chunk: Chunk) -> tuple[pa.Table, pa.Table]:
    rng, size = chunk.rng, chunk.size
    shares = [segment.share for segment in SEGMENTS]
    segments = rng.choice(len(SEGMENTS), size, p=np.array(shares) / sum(shares))
    female = np.array([segment.female_share for segment in SEGMENTS])[segments]
    ids = text.whole_numbers(1 + chunk.positions)
    columns = [ids, text.picked(["Female", "Male"], (rng.random(size) >= female) * 1)]
    for header, attribute in ((AGE, "age"), (INCOME, "income"), (SCORE, "score")):
        measures = np.array([getattr(segment, attribute) for segment in SEGMENTS])
        mean, deviation = measures[segments].T
        drawn = np.rint(rng.normal(mean, deviation)).astype(np.int64)
        texts = text.whole_numbers(np.clip(drawn, *_BOUNDS[header])).to_pylist()
        # not dirt: public copies write ? where a value is missing
        for place in rng.choice(size, max(1, round(_MISSING_SHARE * size))):
            texts[place] = "?"
        columns.append(pa.array(texts, pa.string()))
    names = text.picked([segment.name for segment in SEGMENTS], segments)
    return (
        pa.table(dict(zip(HEADERS, columns, strict=True))),
        pa.table([ids, names], names=TRUTH_HEADERS),
    )


def _dirt_kinds(customers: int) -> tuple[DirtKind, ...]:
    def fresh(row: Row, number: int, **changes: str | None) -> Row:
        # spoilt profiles are fewer than customers, so these ids stay apart
        return row | {"CustomerID": str(customers + 1 + number)} | changes

    def without_key(row: Row, number: int) -> Row:
        # without their ids two profiles could be alike, so their measures count up
        rest, age = divmod(number, 53)
        score, income = divmod(rest, 126)
        measures = {AGE: 18 + age, INCOME: 15 + income, SCORE: 1 + score}
        return row | {"CustomerID": None} | {k: str(v) for k, v in measures.items()}

    impossible = ({AGE: "240"}, {INCOME: "-20"}, {SCORE: "0"}, {SCORE: "300"})
    unreadable = ({AGE: "abc"}, {INCOME: "abc"}, {SCORE: "abc"})
    return (
        exact_duplicate(0.004),
        DirtKind("missing_key", 0.001, without_key),
        # sorts after the clean row, so that staging keeps the clean one
        DirtKind(
            "duplicate_key",
            0.002,
            lambda row, number: row | {"Gender": "Male"},
            fits=lambda row: row["Gender"] == "Female",
        ),
        DirtKind(
            "unreadable_number",
            0.001,
            lambda row, number: fresh(row, number, **unreadable[number % 3]),
            least=3,
        ),
        DirtKind(
            "impossible_value",
            0.001,
            lambda row, number: fresh(row, number, **impossible[number % 4]),
            least=4,
        ),
    )
