"""One method's explanation of one image: numbers over the grid of the network's input, and what has no place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

__all__ = ["Attribution", "log_odds", "mean_attribution", "of_mean_probability", "weighted_attribution"]

Floats = npt.NDArray[np.float64]
TINY = 1e-12  # keeps the log-odds of a certain prediction finite


def log_odds(probabilities: npt.ArrayLike) -> Floats:
    """Return log(p / (1 - p)), of probabilities clipped to [1e-12, 1 - 1e-12]."""
    p = np.clip(np.asarray(probabilities, dtype=np.float64), TINY, 1 - TINY)
    return np.asarray(np.log(p) - np.log1p(-p), dtype=np.float64)


@dataclass(frozen=True)
class Attribution:
    """A map over the network's input and the rest of the score.

    Attributes:
        grid: (h, w) numbers over the whole input; for an exact method contributions in log-odds.
        target: index of the class whose log-odds against all others are explained.
        log_odds: of that class.
        offset: log-odds of the average training image; None where the method is no sum.
        elsewhere: parts of the score that have no place, by name; with offset and grid they sum to log_odds.
        high_norm_share: share of the absolute contribution that lies on patch tokens of a norm above three
            times the median; None where there are no tokens.
        notes: what the reader has to know, one sentence each.
    """

    grid: Floats
    target: int
    log_odds: float
    offset: float | None = None
    elsewhere: Mapping[str, float] = field(default_factory=dict)
    high_norm_share: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_sum(self) -> bool:
        """Whether offset, grid and the parts elsewhere sum to the log-odds."""
        return self.offset is not None

    @property
    def localised(self) -> float:
        """Sum of the grid."""
        return float(self.grid.sum())

    @property
    def not_localised(self) -> float:
        """Sum of the parts that have no place."""
        return float(sum(self.elsewhere.values()))

    def with_parts(self, **parts: float) -> Attribution:
        """Return the attribution with more that has no place, added to parts of the same name (_ for a space)."""
        joined = dict(self.elsewhere)
        for name, value in parts.items():
            words = name.replace("_", " ")
            joined[words] = joined.get(words, 0.0) + value
        return replace(self, elsewhere=joined)


def mean_attribution(items: Sequence[Attribution]) -> Attribution:
    """Return the mean of attributions of one image, as the log-odds of repeats are averaged."""
    return weighted_attribution(items, [1.0 / len(items)] * len(items))


def weighted_attribution(items: Sequence[Attribution], weights: Sequence[float]) -> Attribution:
    """Return the weighted sum of attributions of one image and one target; grids are brought to the finest.

    Args:
        items: of several heads or contenders.
        weights: of their log-odds.
    """
    from headtohead.explain.placement import on_one_grid

    pairs = list(zip(items, weights, strict=True))
    elsewhere: dict[str, float] = {}
    for item, weight in pairs:
        for name, value in item.elsewhere.items():
            elsewhere[name] = elsewhere.get(name, 0.0) + weight * value
    shares = [item.high_norm_share for item in items if item.high_norm_share is not None]
    offsets = [weight * item.offset for item, weight in pairs if item.offset is not None]
    return Attribution(
        grid=on_one_grid([weight * item.grid for item, weight in pairs]),
        target=items[0].target,
        log_odds=float(sum(weight * item.log_odds for item, weight in pairs)),
        # one part without an offset is no sum, and neither is the whole
        offset=float(sum(offsets)) if len(offsets) == len(items) else None,
        elsewhere=elsewhere,
        high_norm_share=max(shares) if shares else None,
        notes=tuple(dict.fromkeys(note for item in items for note in item.notes)),
    )


def of_mean_probability(items: Sequence[Attribution]) -> Attribution:
    """Return one attribution of the mean probability of several heads or views of one image.

    The map is the mean of the maps; what the mean of probabilities differs from the mean of log-odds has no place.
    """
    mean = mean_attribution(items)
    if len(items) == 1:
        return mean
    final = float(log_odds(np.mean([1.0 / (1.0 + np.exp(-item.log_odds)) for item in items])))
    return replace(mean, log_odds=final).with_parts(mean_of_probabilities=final - mean.log_odds)
