"""Candidates that share a part: a crop's coarse shape is another, but its local features are the same.

Each picture's features vote, through hash tables over the signs of their descriptors, for the
pictures that hold nearly the same feature (the voting of Lowe, 2004, section 7.1, with hashes for
his trees). The work grows with the number of features, not with the number of pairs of pictures.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from headtohead.audit.groups.view import View, turned

__all__ = ["partners"]

Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.uint8]

FEATURES = 160
"""Features of each picture that vote, evenly drawn."""

N_TABLES = 12
SIGNS = 18
WITHIN = 8
"""At most this many of one bucket are looked at for each feature."""

MOST_DIFFERENT = 26
"""Signs (of 128) in which the same feature of two pictures may differ; about 64 differ by chance."""

LEAST_VOTES = 5
MOST_PARTNERS = 5
KINDS = (0, 1)
"""As they are, and mirrored."""


def partners(views: Iterable[View], seed: int = 0) -> list[tuple[int, int, int]]:
    """Return pairs that share features, as (a, b, kind), a < b, sorted; at most five a picture and kind.

    Args:
        views: of all pictures, in their order; one is held at a time.
        seed: of the choice of signs; the result hardly depends on it.
    """
    held, mirrored, owner = _gathered(views)
    if len(owner) == 0:
        return []
    middle = np.median(held[:: max(1, len(held) // 20_000)], axis=0)
    signs = held > middle
    rng = np.random.default_rng(seed)
    choices = [rng.permutation(128)[:SIGNS] for _ in range(N_TABLES)]
    found: set[tuple[int, int, int]] = set()
    for kind, rows in zip(KINDS, (held, mirrored), strict=True):
        asked = rows > middle
        pairs = _met(signs, asked, choices)
        found |= {(min(a, b), max(a, b), kind) for a, b in _elected(owner, *pairs)}
    return sorted(found)


def _gathered(views: Iterable[View]) -> tuple[Rows, Rows, Ints]:
    """Return the voting descriptors of all pictures, the same mirrored, and whose they are."""
    plain, other, owner = [np.zeros((0, 128), np.uint8)], [np.zeros((0, 128), np.uint8)], []
    for index, view in enumerate(views):
        step = max(1, -(-len(view.points) // FEATURES))
        plain.append(view.descriptors[::step])
        other.append(turned(view, 1).descriptors[::step])
        owner += [index] * len(plain[-1])
    return np.concatenate(plain), np.concatenate(other), np.array(owner, np.int64)


def _keys(signs: npt.NDArray[np.bool_], choice: Ints) -> Ints:
    return np.asarray(signs[:, choice] @ (1 << np.arange(len(choice), dtype=np.int64)), np.int64)


def _packed(signs: npt.NDArray[np.bool_]) -> Bits:
    return np.ascontiguousarray(np.packbits(signs, axis=1)).view(np.uint64)


def _met(
    signs: npt.NDArray[np.bool_], asked: npt.NDArray[np.bool_], choices: list[Ints]
) -> tuple[Ints, Ints]:
    """Return which features nearly equal which: positions in `asked` and in `signs`, each pair once."""
    have, want = _packed(signs), _packed(asked)
    codes = [np.zeros(0, np.int64)]
    for choice in choices:
        keys = _keys(signs, choice)
        order = np.argsort(keys, kind="stable")
        ranked, sought = keys[order], _keys(asked, choice)
        first = np.searchsorted(ranked, sought, side="left")
        size = np.minimum(np.searchsorted(ranked, sought, side="right") - first, WITHIN)
        giver = np.repeat(np.arange(len(sought)), size)
        within = np.arange(len(giver)) - np.repeat(np.cumsum(size) - size, size)
        taker = order[np.repeat(first, size) + within]
        differ = np.bitwise_count(want[giver] ^ have[taker]).sum(axis=1)
        near = differ <= MOST_DIFFERENT
        codes.append(giver[near] * len(signs) + taker[near])
    every = np.unique(np.concatenate(codes))
    return every // len(signs), every % len(signs)


def _elected(owner: Ints, giver: Ints, taker: Ints) -> list[tuple[int, int]]:
    """Return (picture, partner) for the partners with most votes, five at most, five votes at least."""
    a, b = owner[giver], owner[taker]
    apart = a != b
    n = int(owner[-1]) + 1
    pairs, votes = np.unique(a[apart] * n + b[apart], return_counts=True)
    pairs, votes = pairs[votes >= LEAST_VOTES], votes[votes >= LEAST_VOTES]
    order = np.lexsort((pairs, -votes, pairs // n))
    pairs = pairs[order]
    from_ = pairs // n
    rank = np.arange(len(pairs)) - np.searchsorted(from_, from_, side="left")
    return [(int(one // n), int(one % n)) for one in pairs[rank < MOST_PARTNERS]]
