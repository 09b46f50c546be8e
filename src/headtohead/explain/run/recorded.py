"""An image's map beside the log-odds that the run recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headtohead.core.errors import RunFolderError
from headtohead.explain.attribution import Attribution, of_mean_probability

__all__ = ["as_recorded"]

EXACT_GAP = 1e-4  # in log-odds; a larger gap to the recorded log-odds becomes a part of its own
# A tenth of the log-odds, and near zero, where terms cancel, an absolute bound. bf16 keeps 8 bits, which moved the
# log-odds of DINOv2-S by up to 0.102 on the 240 images of the demo (median 0.018), those of an image at -0.64.
MOST_ROUNDING = 0.1
LEAST_ROUNDING = 0.25


def as_recorded(own: Sequence[Attribution], recorded: float, sample: str, name: str) -> Attribution:
    """Return one attribution over repeats that sums to the recorded log-odds.

    A map is made in fp32; where the run's features were rounded to bf16, the gap is a part of its own.

    Raises:
        RunFolderError: the gap is no rounding.
    """
    found = of_mean_probability(own)
    gap = recorded - found.log_odds
    if abs(gap) <= EXACT_GAP:
        return found
    if abs(gap) > max(LEAST_ROUNDING, MOST_ROUNDING * abs(recorded)):
        raise RunFolderError(
            f"{name} gives {sample} log-odds of {found.log_odds:+.3f}; the run recorded {recorded:+.3f}. Weights or "
            "versions have changed since the run; run compare again in a new folder."
        )
    return replace(found, log_odds=recorded).with_parts(rounding_of_the_features=gap)
