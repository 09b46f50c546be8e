"""Which samples are trained on and which are scored: whole groups, all classes, proven free of leaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import DataError, LeakageError, UsageError
from headtohead.data.dataset import Dataset
from headtohead.data.file_problems import truncate_list
from headtohead.data.splits.leakage import Leak, LeakFinder
from headtohead.data.splits.splitters import (
    group_holdout,
    holdout_fraction,
    inner_folds,
    predefined_split,
    stratified_group_kfold,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CrossValidationSplits", "Fold", "inner_folds", "make_folds"]

Ints = npt.NDArray[np.int64]
COLUMNS = ("sample", "repeat", "fold", "part")


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One division of samples into a training and a test part.

    Attributes:
        repeat, fold: from 0.
        train, test: (n,) sample positions, sorted, without repetition, read-only.

    Raises:
        LeakageError: a sample is in both parts.
        DataError: a part is empty.
    """

    repeat: int
    fold: int
    train: Ints
    test: Ints

    def __post_init__(self) -> None:
        for name in ("train", "test"):
            part = np.unique(np.asarray(getattr(self, name), dtype=np.int64))
            if not part.size:
                raise DataError(f"Fold {self.fold} of repeat {self.repeat} has an empty {name} part.")
            part.setflags(write=False)
            object.__setattr__(self, name, part)
        both = np.intersect1d(self.train, self.test)
        if both.size:
            raise LeakageError(
                f"Fold {self.fold} of repeat {self.repeat} has {both.size} samples in train and in test, at "
                f"positions {truncate_list(both)}. A sample may be in one part only."
            )

    @classmethod
    def checked(cls, dataset: Dataset, *, repeat: int, fold: int, train: Ints, test: Ints) -> Fold:
        """Return the fold after proof that the parts share no group, pixels or file.

        Raises:
            LeakageError: they do; the pairs are named.
        """
        made = cls(repeat, fold, train, test)
        leaks = LeakFinder(dataset.samples).leaks(made.train, made.test, repeat=repeat, fold=fold)
        if leaks:
            raise leakage_error(leaks)
        return made


@dataclass(frozen=True, eq=False)
class CrossValidationSplits:
    """All folds of a study, with the proof that they do not leak.

    Attributes:
        folds: in order of repeat and fold.
        samples: ids of all samples, in the order that the folds' positions refer to.
        proof: for each fold the sizes of its parts and how many groups, pixel hashes, paths and file
            hashes they share (all zero unless leaks were allowed).
        leaks: what is shared where leaks were allowed; empty otherwise.
        notes: decisions taken, one sentence each.
    """

    folds: tuple[Fold, ...]
    samples: tuple[str, ...]
    proof: tuple[dict[str, int], ...]
    leaks: tuple[Leak, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def checked(
        cls,
        dataset: Dataset,
        folds: tuple[Fold, ...],
        *,
        allow_leaks: bool = False,
        notes: tuple[str, ...] = (),
    ) -> CrossValidationSplits:
        """Prove every fold and return the plan.

        Raises:
            LeakageError: parts share something and leaks are not allowed.
        """
        finder = LeakFinder(dataset.samples)
        leaks = tuple(
            leak
            for fold in folds
            for leak in finder.leaks(fold.train, fold.test, repeat=fold.repeat, fold=fold.fold)
        )
        if leaks and not allow_leaks:
            raise leakage_error(leaks)
        if leaks:
            notes = (*notes, f"Leaks were allowed: {describe(leaks)}")
        return cls(
            folds,
            tuple(s.id for s in dataset.samples),
            tuple(_proof(finder, fold) for fold in folds),
            leaks,
            notes,
        )

    def frame(self) -> pd.DataFrame:
        """Return the folds as a table: sample id, repeat, fold, part ("train" or "test")."""
        import pandas as pd

        names = np.array(self.samples, dtype=object)
        blocks = [
            pd.DataFrame({"sample": names[part], "repeat": fold.repeat, "fold": fold.fold, "part": word})
            for fold in self.folds
            for word, part in (("train", fold.train), ("test", fold.test))
        ]
        return pd.concat(blocks, ignore_index=True)[list(COLUMNS)]

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, dataset: Dataset, *, allow_leaks: bool = False
    ) -> CrossValidationSplits:
        """Rebuild the plan from its table, and prove it again against the dataset.

        Raises:
            DataError: the table names other samples, or lacks columns.
            LeakageError: it leaks and leaks are not allowed.
        """
        missing = [name for name in COLUMNS if name not in frame.columns]
        if missing:
            raise DataError(f"The table of folds lacks {missing}; it has {list(frame.columns)}.")
        position = {sample.id: index for index, sample in enumerate(dataset.samples)}
        strange = sorted(set(frame["sample"]) - set(position))
        if strange:
            raise DataError(
                f"The table of folds names {len(strange)} samples that are not in the data: "
                f"{truncate_list(strange)}. It was made from other images."
            )
        where = frame["sample"].map(position).to_numpy(dtype=np.int64)
        part = frame["part"].to_numpy()
        if not set(part) <= {"train", "test"}:
            raise DataError(
                f"The table of folds knows the parts {sorted(set(part))}; expected train and test."
            )
        number = frame[["repeat", "fold"]].to_numpy(dtype=np.int64)
        folds = []
        for repeat, fold in np.unique(number, axis=0):
            here = (number == (repeat, fold)).all(axis=1)
            train, test = where[here & (part == "train")], where[here & (part == "test")]
            folds.append(Fold(int(repeat), int(fold), train, test))
        return cls.checked(dataset, tuple(folds), allow_leaks=allow_leaks)


def make_folds(
    dataset: Dataset,
    *,
    split: str = "kfold",
    folds: int = 5,
    repeats: int = 3,
    seed: int = 0,
    allow_leaks: bool = False,
) -> CrossValidationSplits:
    """Divide a dataset into training and test parts, whole groups at a time.

    Args:
        split: "kfold" (repeated stratified group k-fold), "given" (the data's own split: train and
            val are trained on, test is scored) or "holdout:<fraction>" (one grouped, stratified test
            part per repeat).
        folds: parts per repeat of "kfold", at least 2.
        repeats: how often to draw; "given" is fixed and drawn once.
        seed: the same seed and the same samples give the same folds, in whatever order they come.
        allow_leaks: go on where train and test share something, and keep the list in `leaks`.

    Raises:
        InsufficientDataError: a class is in too few groups for every part to hold it.
        LeakageError: the parts share a group, pixels or a file.
        UsageError: an unknown `split`.
    """
    if folds < 2 or repeats < 1:
        raise UsageError(f"Got folds={folds} and repeats={repeats}; expected at least 2 folds and 1 repeat.")
    order = np.argsort(np.array([sample.id for sample in dataset.samples], dtype=object), kind="stable")
    labels, groups = dataset.labels()[order], _plain_names(dataset)[order]
    notes: tuple[str, ...] = ()
    if split == "kfold":
        drawn = stratified_group_kfold(
            labels, groups, dataset.classes, folds=folds, repeats=repeats, seed=seed
        )
    elif split == "given":
        drawn, notes = predefined_split(
            [dataset.samples[i].split for i in order], labels, groups, dataset.classes
        )
    elif split.startswith("holdout:"):
        fraction = holdout_fraction(split)
        drawn, notes = group_holdout(
            labels, groups, dataset.classes, fraction=fraction, repeats=repeats, seed=seed
        )
    else:
        raise UsageError(
            f"Unknown split {split!r}; expected 'kfold', 'given' or 'holdout:<fraction>', such as "
            "holdout:0.2."
        )
    made = tuple(Fold(repeat, fold, order[train], order[test]) for repeat, fold, train, test in drawn)
    return CrossValidationSplits.checked(dataset, made, allow_leaks=allow_leaks, notes=notes)


def leakage_error(leaks: tuple[Leak, ...]) -> LeakageError:
    """Return the error that names the first ten pairs and what to do."""
    return LeakageError(
        f"Train and test overlap: {describe(leaks)} Expected none. Put what belongs together in one group "
        "(duplicates are found by the audit), use a grouped split, or go on with allow_leaks, which is "
        "stated in the verdict."
    )


def describe(leaks: tuple[Leak, ...]) -> str:
    """Return how many test lines are concerned and the first ten pairs."""
    return f"{len(leaks)} test samples share something with a training sample: {truncate_list(leaks)}."


def _plain_names(dataset: Dataset) -> npt.NDArray[Any]:
    """Return (n,) groups named by the first id in each, so that what a group is called plays no part."""
    first: dict[str, str] = {}
    for sample in sorted(dataset.samples, key=lambda s: s.id):
        first.setdefault(sample.group, sample.id)
    return np.array([first[sample.group] for sample in dataset.samples], dtype=object)


def _proof(finder: LeakFinder, fold: Fold) -> dict[str, int]:
    shared = finder.counts(fold.train, fold.test)
    return {
        "repeat": fold.repeat,
        "fold": fold.fold,
        "n_train": len(fold.train),
        "n_test": len(fold.test),
        "shared_groups": shared["group"],
        "shared_pixel_hashes": shared["pixels"],
        "shared_paths": shared["path"],
        "shared_files": shared["bytes"],
    }
