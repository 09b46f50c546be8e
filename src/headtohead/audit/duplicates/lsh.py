"""Near neighbours among very many fingerprints, by hash tables of their signs.

Two images that are nearly alike agree in nearly all signs, so in at least one of a few dozen
small random choices of signs they agree in all. Coefficients are centred on the mean of the set
first: images of one kind (heads, chests) share the signs of their mean, and signs that all share
tell nothing. Each table takes as many signs as keep its buckets small, whatever the images.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from headtohead.audit.duplicates.fingerprint import ORDER, ORIENTATIONS, flat, kind_of, rotate_coefficients
from headtohead.core.progress import QUIET, Reporter

__all__ = ["Neighbours", "approximate_neighbours"]

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint64]
Neighbours = tuple[Ints, Ints, Ints, Floats]
"""Image, neighbour, kind of turn, cosine."""

N_TABLES = 24  # of 14 signs: a copy with 7 of 63 signs changed is met in 98 %, with 14 changed in 35 %
N_SIGNS = ORDER * ORDER - 1  # all cosine terms but the mean, which brightness changes
KEY_BITS = (14, 22)
"""Fewest and most signs per table."""

BUCKET = 2.0
"""Keys grow longer until an image meets no more than this many others in a bucket, on average."""

WITHIN = 16
"""At most this many of one bucket are looked at for each image."""

MOST_DIFFERENT = 14
"""Signs (of 63) in which a candidate may differ; about 31 differ by chance."""

SEARCHED = (0, 1)
"""Views that are searched: whole image and foreground; outlines resemble each other too much."""

_CHUNK = 1 << 22  # candidates at a time; bounds the memory


def approximate_neighbours(
    blocks: Floats, k: int, least: float, seed: int = 0, reporter: Reporter = QUIET
) -> Neighbours:
    """Return for each image up to k others that are at least `least` alike, over all turns.

    Args:
        blocks: (n, VIEWS, ORDER, ORDER) unit-length coefficients; zeros resemble nothing.
        k: how many to keep per image.
        least: cosine.
        seed: of the choice of signs; the result hardly depends on it.
        reporter: hears how far the work is.
    """
    rng = np.random.default_rng(seed)
    choices = [rng.permutation(N_SIGNS) for _ in range(N_TABLES)]
    pool = _Pool(4 * k, least)
    for view in SEARCHED:
        used = np.flatnonzero(blocks[:, view].any(axis=(1, 2)))
        if len(used) < 2:
            continue
        rows = flat(blocks[used, view])
        mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        signs = rows > mean
        built = [_table(signs, choice) for choice in choices]
        packed = _pack(signs)
        for turn in reporter.progress(range(ORIENTATIONS), "looking for candidates", ORIENTATIONS):
            turned = flat(rotate_coefficients(blocks[used, view], turn))
            turned_signs = turned > mean
            turned_packed = _pack(turned_signs)
            for table in built:
                for a, b in table.meet(turned_signs):
                    near = np.flatnonzero(np.bitwise_count(packed[a] ^ turned_packed[b]) <= MOST_DIFFERENT)
                    a, b = a[near], b[near]
                    pool.add(used[a], used[b], kind_of(turn), _cosines(rows, turned, a, b))
    return pool.best(k)


def _cosines(rows: Floats, turned: Floats, a: Ints, b: Ints) -> Floats:
    """Return the cosine of each pair, in bounded pieces."""
    step = _CHUNK // 16
    parts = [
        np.einsum("ij,ij->i", rows[a[low : low + step]], turned[b[low : low + step]])
        for low in range(0, len(a), step)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _pack(signs: npt.NDArray[np.bool_]) -> Bits:
    """Return (n, 63) signs as one number each."""
    wide = np.pad(signs, ((0, 0), (0, 1)))  # a 64th sign, always 0, fills the word
    return np.ascontiguousarray(np.packbits(wide, axis=1)).view(np.uint64).ravel()


class _SignTable:
    """Images by the value of a few of their signs."""

    def __init__(self, signs: npt.NDArray[np.bool_], choice: Ints) -> None:
        self._choice = choice
        keys = self._keys(signs)
        self._order = np.argsort(keys, kind="stable")
        self._count = np.bincount(keys, minlength=1 << len(choice))
        self._start = np.cumsum(self._count) - self._count

    def _keys(self, signs: npt.NDArray[np.bool_]) -> Ints:
        weights = 1 << np.arange(len(self._choice), dtype=np.int64)
        keys = np.zeros(len(signs), np.int64)
        for column, weight in zip(self._choice, weights, strict=True):
            keys += signs[:, column] * weight
        return keys

    @property
    def meetings(self) -> float:
        """How many others an image meets in its bucket, on average."""
        return float((self._count.astype(np.float64) ** 2).sum() / self._count.sum()) - 1.0

    def meet(self, signs: npt.NDArray[np.bool_]) -> Iterator[tuple[Ints, Ints]]:
        """Yield (images in the table, images given) that share a bucket, in bounded pieces."""
        keys = self._keys(signs)
        sizes = np.minimum(self._count[keys], WITHIN)
        ends = np.cumsum(sizes)
        if ends[-1] == 0:
            return
        pieces = np.searchsorted(ends, np.arange(_CHUNK, int(ends[-1]) + _CHUNK, _CHUNK), side="right")
        for low, high in zip(np.r_[0, pieces[:-1]], pieces, strict=True):
            given = np.repeat(np.arange(low, high), sizes[low:high])
            if len(given) == 0:
                continue
            within = np.arange(len(given)) - np.repeat(
                ends[low:high] - sizes[low:high] - (ends[low] - sizes[low]), sizes[low:high]
            )
            # in a crowded bucket each image begins elsewhere, so that not all meet the same few
            held = self._order[self._start[keys[given]] + (within + given) % self._count[keys[given]]]
            apart = held != given
            yield held[apart], given[apart]


def _table(signs: npt.NDArray[np.bool_], choice: Ints) -> _SignTable:
    """Return a table with as many signs as keep its buckets small."""
    for length in range(KEY_BITS[0], KEY_BITS[1] + 1, 2):
        table = _SignTable(signs, choice[:length])
        if table.meetings <= BUCKET:
            break
    return table


class _Pool:
    """The best neighbours so far; bounded, whatever is added."""

    def __init__(self, keep: int, least: float) -> None:
        self._keep = keep
        self._least = least
        self._parts: list[Neighbours] = []
        self._size = 0

    def add(self, a: Ints, b: Ints, kind: int, alike: Floats) -> None:
        """Take in pairs with their cosines; what is not alike enough is left."""
        good = np.flatnonzero(alike >= self._least)
        self._parts.append((a[good], b[good], np.full(len(good), kind, np.int64), alike[good]))
        self._size += len(good)
        if self._size > _CHUNK:
            self._parts = [self.best(self._keep)]
            self._size = len(self._parts[0][0])

    def best(self, k: int) -> Neighbours:
        """Return the k most alike of each image, each neighbour and kind once."""
        if not self._parts:
            none = np.zeros(0, np.int64)
            return none, none, none, np.zeros(0, np.float32)
        a, b, kind, alike = (np.concatenate(one) for one in zip(*self._parts, strict=True))
        order = np.lexsort((-alike, kind, b, a))
        a, b, kind, alike = a[order], b[order], kind[order], alike[order]
        fresh = np.ones(len(a), bool)
        fresh[1:] = (np.diff(a) != 0) | (np.diff(b) != 0) | (np.diff(kind) != 0)
        a, b, kind, alike = a[fresh], b[fresh], kind[fresh], alike[fresh]
        order = np.lexsort((kind, b, -alike, a))
        a, b, kind, alike = a[order], b[order], kind[order], alike[order]
        first = np.searchsorted(a, a, side="left")
        kept = np.arange(len(a)) - first < k
        return a[kept], b[kept], kind[kept], alike[kept]
