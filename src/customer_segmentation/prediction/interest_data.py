"""The customers whose next interests are known, read from the warehouse once."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Self

from customer_segmentation import engine
from customer_segmentation.prediction.cohort_pairs import CohortPair, cohort_pairs
from customer_segmentation.prediction.cohorts import (
    INTEREST_POPULATIONS,
    NEW,
    Cohort,
    KnownCustomers,
)
from customer_segmentation.prediction.entries import INTERESTS
from customer_segmentation.prediction.seasons import (
    UNKNOWN_SALES,
    CategorySales,
    CategorySeasons,
)
from customer_segmentation.prediction.settings import SEED
from customer_segmentation.prediction.splits import DateRange, Split, read_splits

__all__ = ["InterestData"]

# more customers improve no candidate
MAX_COHORT = 5_000
OUTCOMES = ["category_id", "bought_categories"]


@dataclass(frozen=True)
class InterestData:
    """The customers who bought within the horizon, and what.

    Parameters
    ----------
    splits : tuple of Split
        Of all source systems.
    known : KnownCustomers
        With ``category_id`` and ``bought_categories``.
    seasons : CategorySeasons
        Of all source systems.
    """

    splits: tuple[Split, ...]
    known: KnownCustomers
    seasons: CategorySeasons

    @classmethod
    def read(
        cls,
        histories: engine.Relation,
        outcomes: engine.Relation,
        seasons: engine.Relation,
        splits: engine.Relation,
    ) -> Self:
        """Read the tables of categories, and ``int_features__splits``."""
        wanted = read_splits(splits, INTERESTS)
        relations = [(histories, one) for one in INTEREST_POPULATIONS.values()]
        known = KnownCustomers.read(wanted, relations, outcomes, OUTCOMES)
        return cls(wanted, known, CategorySeasons.read(seasons))

    def pairs(self, split: Split, folds: int, seed: int = SEED) -> list[CohortPair]:
        """Return the cohorts of a back-test, as ``cohort_pairs``, in their seasons.

        A season is that of one year before, which is known on the date. New customers
        have a date each: theirs stays unknown.
        """
        pairs = cohort_pairs(split, partial(self._cohort, split), folds, seed)
        return [
            (
                replace(train, season=self.season(split, split.train)),
                # folds are of one date
                replace(test, season=self.season(split, split.test)),
            )
            for train, test in pairs
        ]

    def training_cohort(self, split: Split) -> Cohort:
        """Return the customers that a split learns from, in their season."""
        assert split.train is not None
        cohort = self._cohort(split, split.train)
        return replace(cohort, season=self.season(split, split.train))

    def season(self, split: Split, dates: DateRange | None) -> CategorySales:
        """Return the sales by category one year before the outcomes of some dates."""
        if split.population == NEW.name or dates is None:
            return UNKNOWN_SALES
        return self.seasons.on(split.source_system, dates.last, split.horizon_days)

    def _cohort(self, split: Split, dates: DateRange) -> Cohort:
        return self.known.cohort(split, dates, MAX_COHORT)
