"""The mall: profiles with five planted groups of income and spending score."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from customer_segmentation.simulation.dirt import (
    Dirt,
    DirtKind,
    Ledger,
    Row,
    exact_duplicate,
)
from customer_segmentation.simulation.drawing import (
    Chunk,
    chunks,
    draw_segments,
    of_segment,
)
from customer_segmentation.simulation.writing import (
    CsvWriter,
    integer_text,
    table_writer,
    text_at,
)

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
        Its name in the truth.
    share, female_share : float
        Share of the customers; share of women in the group.
    age, income, score : tuple of float
        In years, thousands of dollars per year, and points.
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
    """Write the profiles, and as their truth the group of each customer."""
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
    segments = draw_segments(SEGMENTS, size, rng)
    is_male = rng.random(size) >= of_segment(SEGMENTS, segments, "female_share")
    ids = integer_text(1 + chunk.positions)
    columns = [ids, text_at(["Female", "Male"], is_male * 1)]
    for header, attribute in ((AGE, "age"), (INCOME, "income"), (SCORE, "score")):
        mean, deviation = of_segment(SEGMENTS, segments, attribute).T
        drawn = np.rint(rng.normal(mean, deviation)).astype(np.int64)
        texts = integer_text(np.clip(drawn, *_BOUNDS[header])).to_pylist()
        # not dirt: public copies of the data have ? for a missing value
        for place in rng.choice(size, max(1, round(_MISSING_SHARE * size))):
            texts[place] = "?"
        columns.append(pa.array(texts, pa.string()))
    names = text_at([segment.name for segment in SEGMENTS], segments)
    return (
        pa.table(dict(zip(HEADERS, columns, strict=True))),
        pa.table([ids, names], names=TRUTH_HEADERS),
    )


def _dirt_kinds(customers: int) -> tuple[DirtKind, ...]:
    def with_new_id(row: Row, number: int, **changes: str | None) -> Row:
        # there are fewer spoilt profiles than customers, so no two ids are equal
        return row | {"CustomerID": str(customers + 1 + number)} | changes

    def without_key(row: Row, number: int) -> Row:
        # two profiles without ids could be equal, so their measures count up
        rest, age = divmod(number, 53)
        score, income = divmod(rest, 126)
        measures = {AGE: 18 + age, INCOME: 15 + income, SCORE: 1 + score}
        return row | {"CustomerID": None} | {k: str(v) for k, v in measures.items()}

    impossible = ({AGE: "240"}, {INCOME: "-20"}, {SCORE: "0"}, {SCORE: "300"})
    unreadable = ({AGE: "abc"}, {INCOME: "abc"}, {SCORE: "abc"})
    return (
        exact_duplicate(0.004),
        DirtKind("missing_key", 0.001, without_key),
        # sorts after the clean row, so staging keeps the clean row
        DirtKind(
            "duplicate_key",
            0.002,
            lambda row, number: row | {"Gender": "Male"},
            fits=lambda row: row["Gender"] == "Female",
        ),
        DirtKind(
            "unreadable_number",
            0.001,
            lambda row, number: with_new_id(row, number, **unreadable[number % 3]),
            minimum=3,
        ),
        DirtKind(
            "impossible_value",
            0.001,
            lambda row, number: with_new_id(row, number, **impossible[number % 4]),
            minimum=4,
        ),
    )
