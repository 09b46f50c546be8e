"""Candidates that share a part: a crop's coarse shape is another, but its local features are the same.

Each image's features vote, through hash tables over the signs of their descriptors, for the
images that hold nearly the same feature (the voting of Lowe, 2004, section 7.1, with hashes for
his trees); then all features of the two are matched, and must lie as one transform lays them. The work grows
with the number of features, not with the number of pairs of images, and of each feature 48 bytes
are kept. By chance images fit the more often the more there are: see `candidates.VOTED`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.audit.duplicates.keypoints import Keypoints, chosen, rotated
from headtohead.core.parallel import cores, ordered_map

__all__ = ["FEW", "MANY", "VotingParams", "match_by_votes", "sampled"]

Ints = npt.NDArray[np.int64]
Short = npt.NDArray[np.int32]
Bits = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]

N_TABLES = (
    12  # of 18 signs: a feature with 26 of 128 signs changed is met in 13 %, and an image has many features
)
SIGNS = (18, 22)
"""Fewest and most signs per table: about as many as make one feature meet two others."""

WITHIN = 8
"""At most this many of one bucket are looked at for each feature."""

MOST_DIFFERENT = 26
"""Signs (of 128) in which the same feature of two images may differ; about 64 differ by chance."""

MATCHED = 32
"""The same, once it is known which image is asked about."""

KINDS = (0, 1)
"""As they are, and mirrored."""

SHORT_LIST = 6
"""For each image and kind, so many of those with most votes are tried for a transform."""

_PIXELS = 3.0  # as in `alignment`
_SAMPLED = 400  # images whose descriptors give the median; more hardly move it
_BLOCK = 1 << 18  # votes counted at a time: a few megabytes
AT_ONCE = 4  # tables that are asked side by side: each holds some 60 MB meanwhile


@dataclass(frozen=True, slots=True)
class VotingParams:
    """How images vote.

    Attributes:
        features: of each image that vote, the strongest.
        least: votes that bring an image onto the short list.
        fit: how many matched features must follow one similarity transform.
        most: partners of each image and kind.
    """

    features: int
    least: int
    fit: int
    most: int


FEW = VotingParams(features=160, least=5, fit=6, most=5)
"""For sets in which every image is made ready in full."""

MANY = VotingParams(features=64, least=5, fit=8, most=2)
"""For large sets, on what a glance shows."""


@dataclass(frozen=True, slots=True)
class KeypointIndex:
    """Features that vote: signs of their descriptors, 128 bits as (f, 2), and positions (f, 2)."""

    signs: Bits
    points: Points


def match_by_votes(
    views: Iterable[Keypoints], sample: Iterable[Keypoints], vote: VotingParams, seed: int = 0
) -> list[tuple[int, int, int]]:
    """Return pairs that share features, as (a, b, kind), a < b, sorted.

    Args:
        views: of all images, in their order; one is held at a time.
        sample: of some of them: the signs of a descriptor are taken about their median.
        vote: how many features vote, and for how many.
        seed: of the choice of signs; the result hardly depends on it.
    """
    drawn = [_voters(view, vote).descriptors for view in sample]
    if sum(map(len, drawn)) == 0:
        return []
    middle = np.median(np.concatenate(drawn), axis=0)
    held, mirrored, starts = _gathered(views, vote, middle)
    rng = np.random.default_rng(seed)
    length = int(np.clip(np.log2(max(2, len(held.signs))) - 1, *SIGNS))
    tables = [_FeatureTable(held.signs, rng.permutation(128)[:length]) for _ in range(N_TABLES)]
    found: set[tuple[int, int, int]] = set()
    for kind, asked in zip(KINDS, (held, mirrored), strict=True):
        for pairs in _elections(tables, held, asked, starts, vote):
            found |= {(min(a, b), max(a, b), kind) for a, b in pairs}
    return sorted(found)


def sampled(n: int) -> range:
    """Return which of n images tell the median of the descriptors."""
    return range(0, n, max(1, n // _SAMPLED))


def _voters(view: Keypoints, vote: VotingParams) -> Keypoints:
    """Return the view with its strongest features alone: a copy has mostly the same."""
    strongest = np.argsort(-view.strength, kind="stable")[: vote.features]
    return chosen(view, np.sort(strongest))


def _gathered(
    views: Iterable[Keypoints], vote: VotingParams, middle: npt.NDArray[np.float64]
) -> tuple[KeypointIndex, KeypointIndex, Ints]:
    """Return all voting features, the same mirrored, and where each image's begin."""
    sides: tuple[list[KeypointIndex], list[KeypointIndex]] = ([], [])
    ends = [0]
    for view in views:
        voting = _voters(view, vote)
        for side, kind in zip(sides, KINDS, strict=True):
            seen = rotated(voting, kind)
            side.append(KeypointIndex(_packed(seen.descriptors > middle), seen.points))
        ends.append(ends[-1] + len(voting.points))
    plain, mirrored = (
        KeypointIndex(
            np.concatenate([one.signs for one in side]), np.concatenate([one.points for one in side])
        )
        for side in sides
    )
    return plain, mirrored, np.array(ends, np.int64)


def _packed(signs: npt.NDArray[np.bool_]) -> Bits:
    return np.ascontiguousarray(np.packbits(signs, axis=1)).view(np.uint64)


class _FeatureTable:
    """Features by the value of a few of their signs."""

    def __init__(self, packed: Bits, choice: Ints) -> None:
        self._choice = choice
        keys = self._keys(packed)
        self._order = np.argsort(keys, kind="stable").astype(np.int32)
        counts = np.bincount(keys, minlength=1 << len(choice))
        self._start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)

    def _keys(self, packed: Bits) -> Short:
        keys = np.zeros(len(packed), np.int32)
        for place, bit in enumerate(self._choice):
            # packbits orders bits otherwise; the choice is random, so any one order will do
            one = (packed[:, bit // 64] >> np.uint64(bit % 64)) & np.uint64(1)
            keys |= one.astype(np.int32) << np.int32(place)
        return keys

    def meet(self, packed: Bits) -> tuple[Ints, Ints]:
        """Return (position in `packed`, feature of the table) for those that share a bucket."""
        keys = self._keys(packed)
        first = self._start[keys]
        size = np.minimum(self._start[keys + 1] - first, WITHIN)
        giver = np.repeat(np.arange(len(keys)), size)
        within = np.arange(len(giver)) - np.repeat(np.cumsum(size) - size, size) + giver
        held = np.repeat(self._start[keys + 1] - first, size)  # in a crowded bucket each giver meets others
        return giver, self._order[np.repeat(first, size) + within % held].astype(np.int64)


def _elections(
    tables: Sequence[_FeatureTable],
    held: KeypointIndex,
    asked: KeypointIndex,
    starts: Ints,
    vote: VotingParams,
) -> Iterator[list[tuple[int, int]]]:
    """Yield (image, partner) pairs, a bounded number of voting features at a time."""
    n, first = len(starts) - 1, 0
    owner = np.repeat(np.arange(n), np.diff(starts))
    match = _Match(asked, held, starts, vote.fit)
    while first < n:
        # whole images, since the votes of one are counted in one piece
        last = max(first + 1, int(np.searchsorted(starts, starts[first] + _BLOCK, side="right")) - 1)
        low, high = int(starts[first]), int(starts[last])
        giver, taker = _met(tables, held.signs, asked.signs[low:high])
        yield _elected(owner[low + giver], owner[taker], n, match, vote)
        first = last


def _met(tables: Sequence[_FeatureTable], held: Bits, asked: Bits) -> tuple[Ints, Ints]:
    """Return which features nearly equal which: positions in `asked` and in `held`, each pair once."""

    def codes(table: _FeatureTable) -> Ints:
        giver, taker = table.meet(asked)
        differ = np.bitwise_count(asked[giver] ^ held[taker])
        near = differ[:, 0] + differ[:, 1] <= MOST_DIFFERENT  # at most 128, which 8 bits hold
        pairs: Ints = giver[near] * len(held) + taker[near]
        return pairs

    every = np.sort(np.concatenate(list(ordered_map(codes, tables, workers=min(AT_ONCE, cores())))))
    # features that meet in several tables vote once; numpy's unique would hash, 10 times slower than sorting here
    every = every[np.diff(every, prepend=-1) > 0]
    return every // max(1, len(held)), every % max(1, len(held))


def _nearest(a: Bits, b: Bits) -> tuple[Ints, Ints]:
    """Return for each feature of a (n, 2) the one of b (m, 2) with the fewest other signs, and how many; m >= 1."""
    apart, nearest = cv2.batchDistance(
        a.view(np.uint8), b.view(np.uint8), cv2.CV_32S, normType=cv2.NORM_HAMMING, K=1
    )
    return nearest[:, 0].astype(np.int64), apart[:, 0].astype(np.int64)


class _Match:
    """How many features of two images match one another and follow one similarity transform."""

    def __init__(self, asked: KeypointIndex, held: KeypointIndex, starts: Ints, least: int) -> None:
        self._asked, self._held, self._starts, self._least = asked, held, starts, least

    def __call__(self, a: int, b: int) -> int:
        """Return the number for image a of those that ask and b of those that are held."""
        one = slice(self._starts[a], self._starts[a + 1])
        two = slice(self._starts[b], self._starts[b + 1])
        on, off = self._asked.signs[one], self._held.signs[two]
        if min(len(on), len(off)) < max(2, self._least):
            return 0
        nearest, apart = _nearest(on, off)
        mutual = _nearest(off, on)[0][nearest] == np.arange(len(on))
        kept = np.flatnonzero(mutual & (apart <= MATCHED))
        if len(kept) < max(2, self._least):
            return 0
        on_a, on_b = self._asked.points[one][kept], self._held.points[two][nearest[kept]]
        matrix, chosen = cv2.estimateAffinePartial2D(on_a, on_b, None, cv2.RANSAC, _PIXELS, 500, 0.99)
        return 0 if matrix is None else int(chosen.sum())


def _elected(a: Ints, b: Ints, n: int, match: _Match, vote: VotingParams) -> list[tuple[int, int]]:
    """Return (image, partner) for the partners whose features lie as one transform lays them.

    Args:
        a, b: of each pair of features that nearly equal each other, whose they are, of n images.
    """
    pairs, votes = np.unique((a * n + b)[a != b], return_counts=True)
    pairs, votes = pairs[votes >= vote.least], votes[votes >= vote.least]
    pairs = pairs[_leading(pairs // n, votes, SHORT_LIST)]
    fit = np.array([match(int(one // n), int(one % n)) for one in pairs], np.int64)
    pairs, fit = pairs[fit >= vote.fit], fit[fit >= vote.fit]
    return [(int(one // n), int(one % n)) for one in pairs[_leading(pairs // n, fit, vote.most)]]


def _leading(owner: Ints, weight: Ints, most: int) -> Ints:
    """Return the positions of the `most` heaviest of each owner; of equals, the first."""
    order = np.lexsort((-weight, owner))
    ranked = owner[order]
    return order[np.arange(len(ranked)) - np.searchsorted(ranked, ranked, side="left") < most]
