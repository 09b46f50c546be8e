"""Candidates: which pairs of images are worth an alignment.

A set of up to 4,000 images is compared all against all, which is one matrix product. A larger one
goes through hash tables (locality-sensitive hashing; Indyk and Motwani, 1998) over the signs of the
fingerprint's coefficients, so that the work grows with the number of images, not with its square.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.audit.duplicates import lsh as tables
from headtohead.audit.duplicates.fingerprint import (
    ORIENTATIONS,
    OUTLINES,
    VIEWS,
    coarse,
    fine,
    flat,
    kind_of,
    rotate_coefficients,
)
from headtohead.core.progress import QUIET, Reporter

__all__ = [
    "ALL_PAIRS",
    "IN_FULL",
    "VOTED",
    "Candidate",
    "find_candidates",
    "n_neighbours",
    "search_limits_note",
]

Floats = npt.NDArray[np.float32]

IN_FULL = 300
"""Up to this many distinct images every candidate is aligned at once; beyond, a quick try comes first."""

ALL_PAIRS = 4000
"""Up to this many distinct images are compared all against all."""

VOTED = 30_000
"""Up to this many, local features vote for candidates, too; beyond, votes by chance become too many to try."""

LEAST_ALIKE = 0.97
"""In a larger set, candidates must be at least this alike (cosine); true copies are above 0.99."""

LEAST_FINE = 0.35
"""In a larger set, cosine of the higher frequencies, too: copies reach 0.7, chance about 0.2."""

_BLOCK = 512  # rows of a product at a time: 512 x 4000 distances are 8 MB


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """Two images by position, a < b; `kind` as in `keypoints.KINDS`; `alike` is their cosine, 0 for parts."""

    a: int
    b: int
    kind: int
    alike: float


def n_neighbours(n: int) -> int:
    """Return how many neighbours are aligned of each image and view: many in a small set, few in a large."""
    return max(3, min(24, 2_500 // max(n, 1)), min(10, 20_000 // max(n, 1)))


def search_limits_note(n: int) -> str:
    """Say what the search of `n` images leaves out; empty for a small set.

    >>> search_limits_note(500)
    ''
    """
    if n <= ALL_PAIRS:
        return ""
    also, least = (" and among those that share local features", " to a quarter") if n <= VOTED else ("", "")
    return (
        f"{n} images are too many to compare all pairs: near copies were sought among the {n_neighbours(n)} "
        f"nearest of each with a coarse likeness of at least {LEAST_ALIKE}{also}, so a copy that was changed "
        f"strongly, or cropped{least}, may be missed; equal images are always found"
    )


def find_candidates(blocks: npt.NDArray[np.float16], reporter: Reporter = QUIET) -> list[Candidate]:
    """Return pairs that resemble each other, each pair and kind of turn once, sorted.

    Args:
        blocks: (n, VIEWS, FINE, FINE) from `fingerprint.describe`.
        reporter: hears how far the work is.
    """
    n, low_band = len(blocks), coarse(blocks)
    if n <= ALL_PAIRS:
        first, second, kind, alike = _all_pairs(low_band, n_neighbours(n), reporter)
    else:
        first, second, kind, alike = tables.approximate_neighbours(
            low_band, n_neighbours(n), LEAST_ALIKE, reporter=reporter
        )
    low, high = np.minimum(first, second), np.maximum(first, second)
    # lexsort's last key counts first: of each pair and kind the most alike leads, and stays
    order = np.lexsort((-alike, kind, high, low))
    low, high, kind, alike = low[order], high[order], kind[order], alike[order]
    kept = np.ones(len(low), bool)
    kept[1:] = (np.diff(low) != 0) | (np.diff(high) != 0) | (np.diff(kind) != 0)
    if n > ALL_PAIRS:
        kept[kept] = _finely_alike(blocks, low[kept], high[kept], kind[kept]) >= LEAST_FINE
    columns = (one[kept].tolist() for one in (low, high, kind, alike))
    return [Candidate(*row) for row in zip(*columns, strict=True)]


def _finely_alike(
    blocks: npt.NDArray[np.float16], first: tables.Ints, second: tables.Ints, kind: tables.Ints
) -> Floats:
    """Return the best cosine of the higher frequencies over the turns of each pair's kind.

    They are centred on the mean of the set: the rim of a skull or a fan is much the same in all.
    """
    best = np.full(len(first), -1.0, np.float32)
    means = [_mean(blocks[:, view]) for view in range(OUTLINES)]
    for turn in range(ORIENTATIONS):
        for at in np.array_split(np.flatnonzero(kind == kind_of(turn)), 1 + len(first) // 50_000):
            for view in range(OUTLINES):
                a = fine(blocks[first[at], view]) - means[view]
                b = fine(rotate_coefficients(blocks[second[at], view], turn)) - means[view]
                size = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
                best[at] = np.maximum(best[at], np.einsum("ij,ij->i", a, b) / np.maximum(size, 1e-6))
    return best


def _mean(blocks: npt.NDArray[np.float16]) -> Floats:
    """Return the mean row of `fine`, a piece at a time."""
    total = sum(
        fine(part).sum(axis=0, dtype=np.float64) for part in np.array_split(blocks, 1 + len(blocks) // 10_000)
    )
    return np.asarray(total / len(blocks), np.float32)


def _all_pairs(blocks: Floats, k: int, reporter: Reporter) -> tables.Neighbours:
    """Return for each image and view its k nearest over all turns, by comparing all pairs."""
    views = reporter.progress(range(VIEWS), "looking for candidates", VIEWS)
    found = [one for view in views for one in _nearest(blocks[:, view], k, inverted=view != OUTLINES)]
    first, second, kind, alike = (np.concatenate(one) for one in zip(*found, strict=True))
    return first, second, kind, alike


def _nearest(blocks: Floats, k: int, *, inverted: bool) -> list[tables.Neighbours]:
    """Return the k nearest of each row of one view, a block of rows at a time."""
    n, rows = len(blocks), flat(blocks)
    turned = [
        flat(rotate_coefficients(blocks, turn))
        for turn in range(ORIENTATIONS if inverted else ORIENTATIONS // 2)
    ]
    found: list[tables.Neighbours] = []
    for start in range(0, n, _BLOCK):
        stop = min(n, start + _BLOCK)
        best = np.full((stop - start, n, 4), -2.0, np.float32)
        for turn, others in enumerate(turned):
            kind = kind_of(turn)
            np.maximum(best[:, :, kind], rows[start:stop] @ others.T, out=best[:, :, kind])
        best[np.arange(stop - start), np.arange(start, stop)] = -2.0
        wide = best.reshape(stop - start, -1)
        nearest = np.argsort(-wide, axis=1, kind="stable")[:, :k]
        near = np.take_along_axis(wide, nearest, axis=1)
        # images without contrast are rows of zeros, and nobody's neighbour
        row, column = np.nonzero(near > 0)
        at = nearest[row, column]
        found.append((row + start, at // 4, at % 4, near[row, column]))
    return found
