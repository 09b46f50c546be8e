"""What train and test may not share, looked up: groups, decoded pixels, files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Record, Sample

__all__ = ["KINDS", "Leak", "LeakFinder"]

Ints = npt.NDArray[np.int64]

KINDS: Mapping[str, Callable[[Sample], str]] = {
    "group": lambda sample: sample.group,
    "pixels": lambda sample: sample.pixel_hash,
    "path": lambda sample: sample.path,
    "bytes": lambda sample: sample.sha256,
}
"""What two samples can share: their group, their decoded pixels, their file, or a file's bytes."""


class Leak(Record):
    """A test sample of one fold that shares something with a training sample.

    Attributes:
        shared: what they share: "group", "pixels", "path", "bytes".
        n_train: how many training samples share something with this test sample; `train` is the first.
    """

    repeat: int
    fold: int
    test: str
    train: str
    shared: tuple[str, ...]
    n_train: int

    def __str__(self) -> str:
        more = f" and {self.n_train - 1} more" if self.n_train > 1 else ""
        return f"{self.test} (test) and {self.train} (train){more} share {', '.join(self.shared)}"


class LeakFinder:
    """Finds what two parts of a dataset share; built once and used for every fold."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._ids = [sample.id for sample in samples]
        self._codes = {kind: _codes([key(sample) for sample in samples]) for kind, key in KINDS.items()}

    def counts(self, train: Ints, test: Ints) -> dict[str, int]:
        """Return, for each kind, how many values both parts carry."""
        return {kind: len(np.intersect1d(codes[train], codes[test])) for kind, codes in self._codes.items()}

    def leaks(self, train: Ints, test: Ints, *, repeat: int, fold: int) -> tuple[Leak, ...]:
        """Return one record for each test sample that shares anything with the training part.

        The training partner named is the one that shares most, the first in order among equals.
        """
        shared: dict[int, dict[int, list[str]]] = {}
        for kind, codes in self._codes.items():
            both = np.intersect1d(codes[train], codes[test])
            holders: dict[int, list[int]] = {}
            for index in train[np.isin(codes[train], both)]:
                holders.setdefault(int(codes[index]), []).append(int(index))
            for index in test[np.isin(codes[test], both)]:
                partners = shared.setdefault(int(index), {})
                for partner in holders[int(codes[index])]:
                    partners.setdefault(partner, []).append(kind)
        return tuple(self._leak(index, shared[index], repeat, fold) for index in sorted(shared))

    def _leak(self, index: int, partners: Mapping[int, list[str]], repeat: int, fold: int) -> Leak:
        best = min(partners, key=lambda partner: (-len(partners[partner]), partner))
        return Leak(
            repeat=repeat,
            fold=fold,
            test=self._ids[index],
            train=self._ids[best],
            shared=tuple(partners[best]),
            n_train=len(partners),
        )


def _codes(values: list[str]) -> Ints:
    """Return (n,) numbers, equal where the values are equal."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)
