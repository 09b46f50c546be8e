"""Candidates: which pairs of pictures are worth an alignment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.audit.groups.fingerprint import TURNS, VIEWS, flat, is_mirrored, turn_coefficients

__all__ = ["Candidate", "candidates", "n_neighbours"]

Floats = npt.NDArray[np.float32]
ALL_PAIRS = 4000
_BLOCK = 512


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """Two pictures by position, a < b; `kind` as in `align.KINDS`; `alike` is their cosine."""

    a: int
    b: int
    kind: int
    alike: float


def n_neighbours(n: int) -> int:
    """Return how many neighbours of each picture are verified: all in a small set, few in a large."""
    return max(3, min(24, 40_000 // max(n, 1)))


def _kind_of(turn: int) -> int:
    return 2 * (turn >> 3) + int(is_mirrored(turn))


def _all_pairs(blocks: Floats, k: int) -> list[tuple[int, int, int, float]]:
    n = len(blocks)
    rows = [flat(blocks[:, view]) for view in range(VIEWS)]
    turned = [[flat(turn_coefficients(blocks[:, view], turn)) for turn in range(TURNS)] for view in range(VIEWS)]
    found = []
    for start in range(0, n, _BLOCK):
        block = slice(start, min(n, start + _BLOCK))
        best = np.full((4, block.stop - start, n), -2.0, np.float32)
        for view in range(VIEWS):
            for turn in range(TURNS):
                alike = rows[view][block] @ turned[view][turn].T
                kind = _kind_of(turn)
                np.maximum(best[kind], alike, out=best[kind])
        best[:, np.arange(block.stop - start), np.arange(start, block.stop)] = -2.0
        wide = best.transpose(1, 2, 0).reshape(best.shape[1], -1)
        nearest = np.argsort(-wide, axis=1, kind="stable")[:, :k]
        for i, row in enumerate(nearest):
            found += [(start + i, int(at) // 4, int(at) % 4, float(wide[i, at])) for at in row if wide[i, at] > 0]
    return found


def candidates(blocks: Floats) -> list[Candidate]:
    """Return pairs that resemble each other, each pair and kind of turn once, sorted.

    Args:
        blocks: (n, VIEWS, ORDER, ORDER) from `fingerprint.describe`.
    """
    kept: dict[tuple[int, int, int], Candidate] = {}
    for i, j, kind, alike in _all_pairs(blocks, n_neighbours(len(blocks))):
        a, b = min(i, j), max(i, j)
        if (a, b, kind) not in kept or alike > kept[a, b, kind].alike:
            kept[a, b, kind] = Candidate(a, b, kind, alike)
    return sorted(kept.values())
