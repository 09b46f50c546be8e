"""Describe a map in two or three sentences."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Box
from headtohead.explain.attribution import Attribution

__all__ = ["describe", "half_of_evidence", "not_localised_share", "place_words"]

Floats = npt.NDArray[np.float64]
ROWS, COLUMNS = ("upper", "middle", "lower"), ("left", "centre", "right")
SPREAD_OUT = 0.25  # half of the evidence on more than this share of the area has no one place


def half_of_evidence(grid: Floats) -> tuple[float, tuple[float, float]]:
    """Return on how small a share of the area half of the positive part lies, and its centre (row, column) in [0, 1].

    Without any positive part the share is 1 and the centre the middle.

    >>> half_of_evidence(np.array([[4.0, 0.0], [0.0, 0.0]]))
    (0.125, (0.25, 0.25))
    """
    positive = np.maximum(grid, 0.0)
    total = float(positive.sum())
    if total <= 0:
        return 1.0, (0.5, 0.5)
    order = np.argsort(-positive, axis=None, kind="stable")
    values = positive.ravel()[order]
    before = np.concatenate([[0.0], np.cumsum(values)[:-1]])
    # the cell in which half is reached counts in part
    taken = np.clip((total / 2 - before) / np.where(values > 0, values, 1.0), 0.0, 1.0)
    rows, columns = np.unravel_index(order, grid.shape)
    weights = taken * values
    centre = (
        float((weights * (rows + 0.5)).sum() / weights.sum() / grid.shape[0]),
        float((weights * (columns + 0.5)).sum() / weights.sum() / grid.shape[1]),
    )
    return float(taken.sum() / grid.size), centre


def place_words(row: float, column: float) -> str:
    """Return a place of the image in words, as it is displayed; row and column in [0, 1].

    >>> place_words(0.1, 0.9), place_words(0.5, 0.5), place_words(0.5, 0.1)
    ('upper right', 'centre', 'left')
    """
    words = ROWS[min(2, int(3 * row))], COLUMNS[min(2, int(3 * column))]
    if words == ("middle", "centre"):
        return "centre"
    if words[1] == "centre":
        return f"{words[0]} centre"
    return words[1] if words[0] == "middle" else " ".join(words)


def describe(a: Attribution, target: str, box: Box, size: tuple[int, int]) -> str:
    """Return two or three sentences: the score, where the evidence lies, what has no place.

    Args:
        a: the map over the network's input.
        target: name of the class.
        box: what of the image the network saw; size: (H, W) of the image.
    """
    sense = "for" if a.log_odds >= 0 else "against"
    share, (row, column) = half_of_evidence(a.grid if a.log_odds >= 0 else -a.grid)
    where = place_words(
        (box.top + row * (box.bottom - box.top)) / size[0],
        (box.left + column * (box.right - box.left)) / size[1],
    )
    probability = 1.0 / (1.0 + np.exp(-a.log_odds))
    sentences = [f"Log-odds of {target} {a.log_odds:+.2f} (probability {probability:.2f})."]
    if share > SPREAD_OUT:
        sentences.append(
            f"The evidence {sense} {target} is spread out: half of it takes {100 * share:.0f} % of the area seen."
        )
    else:
        sentences.append(
            f"Half of the evidence {sense} {target} that has a place lies on {100 * share:.1f} % of the area seen, "
            f"around the {where} of the image."
        )
    if a.offset is not None:
        rest = ""
        if a.elsewhere:
            rest = f", {a.not_localised:+.2f} ({100 * not_localised_share(a):.0f} %) not localised"
        sentences.append(f"Sum: {a.offset:+.2f} offset, {a.localised:+.2f} with a place{rest}.")
    return " ".join([*sentences, *a.notes])


def not_localised_share(a: Attribution) -> float:
    """Return |not localised| as a share of |not localised| + |localised|; 0 where both are 0."""
    whole = abs(a.not_localised) + abs(a.localised)
    return abs(a.not_localised) / whole if whole else 0.0
