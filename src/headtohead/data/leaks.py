"""What train and test may not share, looked up: groups, decoded pixels, files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Record, Sample

__all__ = ["KINDS", "Leak", "find_leaks", "share_counts"]

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


def share_counts(samples: Sequence[Sample], train: Ints, test: Ints) -> dict[str, int]:
    """Return, for each kind, how many values both parts carry."""
    return {
        kind: len({key(samples[i]) for i in train} & {key(samples[i]) for i in test})
        for kind, key in KINDS.items()
    }


def find_leaks(
    samples: Sequence[Sample], train: Ints, test: Ints, *, repeat: int, fold: int
) -> tuple[Leak, ...]:
    """Return one record for each test sample that shares anything with the training part.

    The training partner named is the one that shares most, the first in order among equals.
    """
    holders = {kind: _holders(samples, train, key) for kind, key in KINDS.items()}
    leaks = []
    for index in test:
        shared: dict[int, list[str]] = {}
        for kind, key in KINDS.items():
            for partner in holders[kind].get(key(samples[index]), ()):
                shared.setdefault(partner, []).append(kind)
        if shared:
            best = min(shared, key=lambda partner: (-len(shared[partner]), partner))
            leaks.append(
                Leak(
                    repeat=repeat,
                    fold=fold,
                    test=samples[index].id,
                    train=samples[best].id,
                    shared=tuple(shared[best]),
                    n_train=len(shared),
                )
            )
    return tuple(leaks)


def _holders(
    samples: Sequence[Sample], part: Iterable[int], key: Callable[[Sample], str]
) -> dict[str, list[int]]:
    held: dict[str, list[int]] = {}
    for index in part:
        held.setdefault(key(samples[index]), []).append(int(index))
    return held
