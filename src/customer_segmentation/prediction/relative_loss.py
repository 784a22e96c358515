"""The relative loss of candidates, which the champion is chosen by."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from customer_segmentation.prediction.resampling import Resampled

__all__ = ["Loss", "RelativeLoss", "relative_losses"]


@dataclass(frozen=True)
class Loss:
    """What a candidate loses by one metric over one horizon.

    Parameters
    ----------
    resampled : Resampled
        Lower is better.
    is_share : bool
        Whether it is an error as a share of the outcomes, which needs no scale.
    """

    resampled: Resampled
    is_share: bool = False


@dataclass(frozen=True)
class RelativeLoss:
    """The mean loss of a candidate, in losses of the best baselines.

    Parameters
    ----------
    value, low, high : float
        With its 95 % interval.
    difference_low, difference_high : float
        The 95 % interval of its difference from the best baseline.
    is_as_good : bool
        Whether no candidate is better by more than chance. A model must also be better
        than the best baseline by more than chance.
    """

    value: float
    low: float
    high: float
    difference_low: float
    difference_high: float
    is_as_good: bool


# the horizon and the name of a metric
Key = tuple[int, str]


def relative_losses(
    candidates: Mapping[str, Mapping[Key, Loss]], baselines: Collection[str]
) -> dict[str, RelativeLoss]:
    """Return the relative loss of each candidate of a purpose.

    It is the mean, over all metrics and horizons, of the loss divided by that of the
    best baseline in the metric. An error that is a share of the outcomes is not
    divided: by chance a baseline may have hardly any.

    Parameters
    ----------
    candidates : mapping of str to mapping
        The losses of each one, of the same customers and resamples.
    baselines : collection of str
        The candidates that models must beat.

    Returns
    -------
    dict of str to RelativeLoss
        Without candidates that lack a metric that all baselines have; empty if there
        are no baselines.
    """
    of_baselines = [candidates[name] for name in sorted(baselines)]
    if not of_baselines:
        return {}
    keys = sorted(set.intersection(*(set(losses) for losses in of_baselines)))
    scales = {key: _scale([losses[key] for losses in of_baselines]) for key in keys}
    means = {
        name: _mean([losses[key].resampled for key in keys], list(scales.values()))
        for name, losses in candidates.items()
        if keys and set(keys) <= set(losses)
    }
    if not means:
        return {}
    to_beat = means[_best(means, baselines)]
    differences = {name: (mean - to_beat).interval() for name, mean in means.items()}
    better = [name for name in means if differences[name][1] < 0]
    best = means[_best(means, better or baselines)]
    return {
        name: RelativeLoss(
            mean.value,
            *mean.interval(),
            *differences[name],
            is_as_good=(name in better or (not better and name in baselines))
            # nan if a metric has no resamples
            and not (mean - best).interval()[0] > 0,
        )
        for name, mean in means.items()
    }


def _best(means: Mapping[str, Resampled], among: Collection[str]) -> str:
    return min(among, key=lambda name: (round(means[name].value, 9), name))


def _scale(baselines: list[Loss]) -> float:
    """Return what a loss is divided by: the lowest of the baselines, if it has any."""
    lowest = min(loss.resampled.value for loss in baselines)
    return 1.0 if baselines[0].is_share or lowest <= 0 else lowest


def _mean(losses: list[Resampled], scales: list[float]) -> Resampled:
    parts = list(zip(losses, scales, strict=True))
    return Resampled(
        value=float(np.mean([loss.value / scale for loss, scale in parts])),
        drawn=np.mean([loss.drawn / scale for loss, scale in parts], axis=0),
        # percentiles, because deviations are among the losses
        without=np.array([]),
        is_deviation=True,
    )
