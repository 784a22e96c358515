"""What models learn from, read from the warehouse once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Self

import pandas as pd

from customer_segmentation import engine
from customer_segmentation.prediction.cohort_pairs import CohortPair, cohort_pairs
from customer_segmentation.prediction.cohorts import (
    EXISTING,
    NEW,
    Cohort,
    Customers,
    KnownCustomers,
    source_systems_of,
)
from customer_segmentation.prediction.interest_data import InterestData
from customer_segmentation.prediction.seasons import Season, Seasons
from customer_segmentation.prediction.settings import SEED, PredictionSettings
from customer_segmentation.prediction.splits import DateRange, Split, read_splits
from customer_segmentation.prediction.targets import read_segment_targets

__all__ = ["PurchaseData", "SegmentData", "TrainingData"]

# larger cohorts are sampled: more customers improve no candidate, and support vectors
# take time that grows with their square
MAX_PURCHASE_COHORT = 20_000
MAX_SEGMENT_COHORT = 10_000

OUTCOMES = ["has_returned", "purchases", "spend"]


@dataclass(frozen=True)
class PurchaseData:
    """The customers whose next purchases are known.

    Parameters
    ----------
    splits : tuple of Split
        Of all source systems.
    known : KnownCustomers
        With ``has_returned``, ``purchases`` and ``spend``.
    seasons : Seasons
        Of all source systems.
    """

    splits: tuple[Split, ...]
    known: KnownCustomers
    seasons: Seasons

    @classmethod
    def read(
        cls,
        customer_days: engine.Relation,
        first_purchases: engine.Relation,
        outcomes: engine.Relation,
        seasons: engine.Relation,
        splits: engine.Relation,
    ) -> Self:
        """Read the tables of these names: of features, and of predictions."""
        wanted = read_splits(splits, "next_purchases")
        relations = (customer_days, EXISTING), (first_purchases, NEW)
        known = KnownCustomers.read(wanted, relations, outcomes, OUTCOMES)
        return cls(wanted, known, Seasons.read(seasons))

    def pairs(self, split: Split, folds: int, seed: int = SEED) -> list[CohortPair]:
        """Return the cohorts of a back-test, as ``cohort_pairs``, in their seasons.

        Folds of one date share their season, and new customers have one each: for both
        it stays unknown.
        """
        pairs = cohort_pairs(split, partial(self._cohort, split), folds, seed)
        if split.is_cross_validated or split.population == NEW.name:
            return pairs
        assert split.test is not None
        day = split.test.last
        return [
            (self._in_season(split, train), replace(test, season=self._on(split, day)))
            for train, test in pairs
        ]

    def training_cohort(self, split: Split) -> Cohort:
        """Return the customers that a split learns from, in their season."""
        assert split.train is not None
        cohort = self._cohort(split, split.train)
        return (
            cohort if split.population == NEW.name else self._in_season(split, cohort)
        )

    def _in_season(self, split: Split, cohort: Cohort) -> Cohort:
        assert split.train is not None
        return replace(cohort, season=self._on(split, split.train.last))

    def _on(self, split: Split, day: date) -> Season:
        return self.seasons.on(split.source_system, day, split.horizon_days)

    def _cohort(self, split: Split, dates: DateRange) -> Cohort:
        return self.known.cohort(split, dates, MAX_PURCHASE_COHORT)


@dataclass(frozen=True)
class SegmentData:
    """The new customers whose later segment is known.

    Parameters
    ----------
    splits : tuple of Split
        Of all source systems.
    customers : mapping
        Customers by source system.
    targets : mapping
        By source system and segmentation, in the order of the settings: the
        ``customer_key``, the ``segment`` some time after the first purchase, and
        whether the customer ``has_returned`` by then.
    """

    splits: tuple[Split, ...]
    customers: Mapping[str, Customers]
    targets: Mapping[tuple[str, str], pd.DataFrame]

    @classmethod
    def read(
        cls,
        customer_days: engine.Relation,
        first_purchases: engine.Relation,
        rfm_segments: engine.Relation,
        fits: engine.Relation,
        splits: engine.Relation,
        settings: PredictionSettings,
    ) -> Self:
        """Read the tables of these names: of features, RFM and segmentations."""
        wanted = read_splits(splits, "segment")
        customers = {
            source_system: Customers.read(first_purchases, NEW, source_system)
            for source_system in source_systems_of(wanted)
        }
        targets = read_segment_targets(
            customer_days, rfm_segments, fits, settings.segment_targets
        )
        return cls(wanted, customers, targets)

    def segmentations(self, source_system: str) -> list[str]:
        """Return the segmentations that a source system has."""
        return [name for owner, name in self.targets if owner == source_system]

    def pairs(
        self, split: Split, segmentation: str, folds: int, seed: int = SEED
    ) -> list[CohortPair]:
        """Return the cohorts of a back-test, as ``cohort_pairs``."""
        cohort_on = partial(self._cohort, split, segmentation)
        return cohort_pairs(split, cohort_on, folds, seed)

    def training_cohort(self, split: Split, segmentation: str) -> Cohort:
        """Return the customers that a split learns from."""
        assert split.train is not None
        return self._cohort(split, segmentation, split.train)

    def _cohort(self, split: Split, segmentation: str, dates: DateRange) -> Cohort:
        targets = self.targets[split.source_system, segmentation]
        return self.customers[split.source_system].cohort(
            dates, targets, MAX_SEGMENT_COHORT
        )


@dataclass(frozen=True)
class TrainingData:
    """Everything that the models of the registry learn from.

    Parameters
    ----------
    purchases : PurchaseData
        For models of next purchases.
    segments : SegmentData
        For models of segments; with the same new customers.
    interests : InterestData
        For models of interests.
    """

    purchases: PurchaseData
    segments: SegmentData
    interests: InterestData

    @classmethod
    def read(
        cls,
        customer_days: engine.Relation,
        first_purchases: engine.Relation,
        *,
        outcomes: engine.Relation,
        seasons: engine.Relation,
        rfm_segments: engine.Relation,
        fits: engine.Relation,
        splits: engine.Relation,
        settings: PredictionSettings,
        category_histories: engine.Relation,
        category_outcomes: engine.Relation,
        category_seasons: engine.Relation,
    ) -> Self:
        """Read the tables of these names, each once."""
        purchases = PurchaseData.read(
            customer_days, first_purchases, outcomes, seasons, splits
        )
        # a source system with splits of segments has splits of purchases, too
        new_customers = {
            source_system: customers
            for (
                source_system,
                population,
            ), customers in purchases.known.customers.items()
            if population == NEW.name
        }
        segments = SegmentData(
            splits=read_splits(splits, "segment"),
            customers=new_customers,
            targets=read_segment_targets(
                customer_days, rfm_segments, fits, settings.segment_targets
            ),
        )
        interests = InterestData.read(
            category_histories, category_outcomes, category_seasons, splits
        )
        return cls(purchases, segments, interests)
