"""Classes that differ between the train, val and test parts of a data set's own split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from headtohead.data.file_problems import truncate_list

__all__ = ["PartDifference", "part_differences"]


@dataclass(frozen=True, slots=True)
class PartDifference:
    """Classes that a part has and train has not, and the other way round.

    Attributes:
        part: "val" or "test".
        only_there: classes of the part alone. only_in_train: classes that the part lacks.
        renames: class -> class that it probably is in the other part, since one name begins with the other.
    """

    part: str
    only_there: tuple[str, ...]
    only_in_train: tuple[str, ...]
    renames: dict[str, str]

    @property
    def option(self) -> str:
        """The option that joins classes of two names, "" where no names are alike."""
        return (
            f"--map-labels '{','.join(f'{a}={b}' for a, b in self.renames.items())}'" if self.renames else ""
        )

    def __str__(self) -> str:
        return (
            f"The classes of train and {self.part} differ: only in {self.part} "
            f"{truncate_list(self.only_there) or 'none'}, only in train {truncate_list(self.only_in_train) or 'none'}."
            + (f" If they are the same classes: {self.option}." if self.renames else "")
        )


def part_differences(parts: Iterable[tuple[str | None, str]]) -> list[PartDifference]:
    """Return how the classes of val and test differ from those of train.

    Args:
        parts: (split, label) of each image.

    >>> [found] = part_differences([("train", "cyst_left"), ("train", "no"), ("test", "cyst"), ("test", "no")])
    >>> found.option
    "--map-labels 'cyst_left=cyst'"
    """
    held: dict[str, set[str]] = defaultdict(set)
    for split, label in parts:
        if split is not None:
            held[split].add(label)
    found = []
    for part in ("val", "test"):
        if part not in held or "train" not in held:
            continue
        only, missing = sorted(held[part] - held["train"]), sorted(held["train"] - held[part])
        if only or missing:
            found.append(PartDifference(part, tuple(only), tuple(missing), _renames(only, missing)))
    return found


def _renames(only: Iterable[str], missing: Iterable[str]) -> dict[str, str]:
    """Return longer name -> shorter name where one begins with the other."""
    missing = list(missing)
    pairs = [sorted((a, b), key=len) for a in only for b in missing if _alike(a, b)]
    return {longer: shorter for shorter, longer in pairs}


def _alike(a: str, b: str) -> bool:
    shorter, longer = sorted((a.casefold().strip(), b.casefold().strip()), key=len)
    return len(shorter) > 1 and longer.startswith(shorter)  # one letter begins many names
