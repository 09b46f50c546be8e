"""How parts are drawn: stratified, whole groups, every class on both sides.

The balance of classes is that of scikit-learn's `StratifiedGroupKFold(shuffle=True)`, which
stratifies under shuffling since version 1.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import DataError, InsufficientDataError, UsageError
from headtohead.data.entry import OWN_FOLD
from headtohead.data.listing.class_order import natural_key
from headtohead.data.listing.evidence.part_classes import part_differences
from headtohead.data.splits.grouped_pieces import grouped_pieces

__all__ = [
    "group_holdout",
    "groups_per_class",
    "holdout_fraction",
    "inner_folds",
    "predefined_split",
    "stratified_group_kfold",
]

Ints = npt.NDArray[np.int64]
Names = npt.NDArray[Any]
Split = list[tuple[int, int, Ints, Ints]]

ATTEMPTS = 50
"""Draws tried until every part holds every class; groups with several labels can need a few."""

TRAIN_GROUPS = 2
"""Groups of each class that a training part must hold, so that inner folds can be drawn from it."""

KEPT_DRAWS = 64
"""Inner folds of so many training parts are kept for the next contender: a draw of 8,000 groups takes a second."""

MOST_PARTS = 20
"""A holdout fraction is made of this many parts at most, so it is met to within 2.5 %."""


def stratified_group_kfold(
    labels: Ints, groups: Names, classes: Sequence[str], *, folds: int, repeats: int, seed: int
) -> Split:
    """Return (repeat, fold, train, test) of repeated stratified group k-fold."""
    needed = folds if folds > TRAIN_GROUPS else 2 * TRAIN_GROUPS  # two halves are each trained on once
    _need_groups(labels, groups, classes, needed, f"folds={folds}")
    drawn: Split = []
    for repeat in range(repeats):
        parts = _parts(labels, groups, Fraction(1, folds), (seed, repeat), TRAIN_GROUPS)
        if parts is None:
            raise InsufficientDataError(
                f"No division into {folds} folds of whole groups was found in which every part holds every "
                f"class, and what remains at least {TRAIN_GROUPS} groups of it ({_counts(labels, groups, classes)}). "
                "Try another number of folds, or look at groups that are very large or carry several labels."
            )
        drawn += [(repeat, fold, _rest(test, len(labels)), test) for fold, test in enumerate(parts)]
    return drawn


def group_holdout(
    labels: Ints, groups: Names, classes: Sequence[str], *, fraction: float, repeats: int, seed: int
) -> tuple[Split, tuple[str, ...]]:
    """Return one (repeat, 0, train, test) per repeat with about `fraction` of samples in test; and notes."""
    # one group to score, and those to train on
    fewest = _need_groups(labels, groups, classes, 1 + TRAIN_GROUPS, f"holdout:{fraction:g}")
    share = _share(fraction, min(MOST_PARTS, fewest))  # each part needs a group of the rarest class
    drawn: Split = []
    for repeat in range(repeats):
        parts = _parts(labels, groups, share, (seed, repeat), TRAIN_GROUPS)
        if parts is None:
            raise InsufficientDataError(
                f"No test part of {fraction:g} with whole groups and every class on both sides was found "
                f"({_counts(labels, groups, classes)}). Use a fraction nearer to 0.5, or kfold with 2 folds."
            )
        test = parts[0]
        drawn.append((repeat, 0, _rest(test, len(labels)), test))
    got = float(np.mean([len(test) for *_, test in drawn])) / len(labels)
    note = f"Holdout {fraction:g}: {repeats} draws of {share} of the samples, {got:.3f} of them on average."
    return drawn, (note,)


def predefined_split(
    splits: Sequence[str | None], labels: Ints, groups: Names, classes: Sequence[str]
) -> tuple[Split, tuple[str, ...]]:
    """Return the data's own division as one fold, and notes: train and val are trained on, test is scored."""
    if any(split and OWN_FOLD.fullmatch(split) for split in splits):
        return _own_folds(splits, labels, classes)
    named = np.array([split or "" for split in splits], dtype=object)
    counts = {word: int((named == word).sum()) for word in ("train", "val", "test", "")}
    if counts[""]:
        raise DataError(
            f"split='given' needs a split for every sample; {counts['']} of {len(named)} have none. Expected "
            "train/val/test folders or a split column in the manifest. Use split='kfold' instead."
        )
    scored = "test" if counts["test"] else "val"
    test = np.flatnonzero(named == scored).astype(np.int64)
    train = np.flatnonzero(named != scored).astype(np.int64)
    if not len(test) or not len(train):
        raise DataError(f"split='given' needs something to train on and something to score; got {counts}.")
    for word, part in (("train", train), ("test", test)):
        absent = [name for index, name in enumerate(classes) if index not in labels[part]]
        if absent:
            parts = part_differences(zip(splits, (classes[index] for index in labels), strict=True))
            differ = {name for found in parts for name in (*found.only_there, *found.only_in_train)}
            raise InsufficientDataError(
                f"The given {word} part holds no sample of {absent}. {' '.join(map(str, parts))} Leave out what is not "
                f"in both with --drop '{','.join(sorted(differ.union(absent)))}', or use split='kfold' instead."
            )
    lone = [
        name
        for name, count in zip(
            classes, groups_per_class(labels[train], groups[train], len(classes)), strict=True
        )
        if count < TRAIN_GROUPS
    ]
    if lone:
        raise InsufficientDataError(
            f"The given train part holds {lone} in one group only; at least {TRAIN_GROUPS} are needed to choose "
            "anything on inner folds. Use split='kfold' instead, or add images of other patients or scenes."
        )
    note = f"The data's own split, once: {len(train)} trained on, {len(test)} scored ({scored!r})."
    if counts["test"] and counts["val"]:
        note += f" The {counts['val']} validation samples count as training."
    if not counts["test"]:
        note += " There is no test part; the validation part is scored, and may choose nothing."
    return [(0, 0, train, test)], (note,)


def _own_folds(
    splits: Sequence[str | None], labels: Ints, classes: Sequence[str]
) -> tuple[Split, tuple[str, ...]]:
    """Return the data's own folds, each tested once and trained on otherwise; and a note."""
    missing = sum(split is None for split in splits)
    if missing:
        raise DataError(
            f"split='given' needs a fold for every sample; {missing} of {len(splits)} have none. Use split='kfold' "
            "instead."
        )
    names = sorted({str(split) for split in splits}, key=natural_key)
    if len(names) < 2:
        raise DataError(f"split='given' needs two folds at least; the data have {names}.")
    numbers = np.array([names.index(str(split)) for split in splits])
    drawn: Split = []
    for number, name in enumerate(names):
        test, train = (
            np.flatnonzero(part).astype(np.int64) for part in (numbers == number, numbers != number)
        )
        for word, part in (("rest", train), ("part", test)):
            if absent := [c for index, c in enumerate(classes) if index not in labels[part]]:
                raise InsufficientDataError(
                    f"In the data's own folds the {word} of {name!r} holds no sample of {absent}. Leave a class out "
                    f"with --drop '{','.join(absent)}', or use split='kfold' instead."
                )
        drawn.append((0, number, train, test))
    return drawn, (f"The data's own {len(names)} folds, each tested once.",)


def inner_folds(labels: Ints, groups: Names, n_folds: int, seed: int) -> list[tuple[Ints, Ints]]:
    """Return grouped, stratified folds for choices inside a training part.

    Args:
        labels: (n,) class positions.
        groups: (n,) group names.
        n_folds: folds wanted; fewer are made, at least 2, where a class has fewer groups than that.
        seed: of the draw.

    Returns:
        (train, valid) positions within the arrays given, sorted.

    Raises:
        InsufficientDataError: a class is in one group only, so no choice can be checked.
    """
    if n_folds < 2:
        raise UsageError(f"Inner folds must be at least 2; got {n_folds}.")
    whole = np.ascontiguousarray(labels, dtype=np.int64)
    parts = _inner_parts(whole.tobytes(), tuple(str(group) for group in groups), n_folds, seed)
    return [(_rest(valid, len(labels)), valid.copy()) for valid in parts]


@lru_cache(maxsize=KEPT_DRAWS)
def _inner_parts(labels_as_bytes: bytes, names: tuple[str, ...], n_folds: int, seed: int) -> list[Ints]:
    """Return the parts that are held out, one after another."""
    labels, groups = np.frombuffer(labels_as_bytes, dtype=np.int64), np.array(names, dtype=object)
    classes = [str(index) for index in range(int(labels.max()) + 1)] if len(labels) else []
    fewest = _need_groups(labels, groups, classes, 2, "inner folds")
    for count in range(min(n_folds, fewest), 1, -1):  # groups of several labels may not divide into as many
        parts = _parts(labels, groups, Fraction(1, count), (seed, 0), 1)
        if parts is not None:
            return parts
    raise InsufficientDataError(
        "No inner folds of whole groups hold every class on both sides; give more data per class."
    )


def holdout_fraction(split: str) -> float:
    """Return the fraction of "holdout:0.2"."""
    try:
        fraction = float(split.removeprefix("holdout:"))
    except ValueError:
        fraction = float("nan")
    if not 0 < fraction < 1:
        raise UsageError(f"Got split={split!r}; expected holdout:<fraction> with a fraction between 0 and 1.")
    return fraction


def groups_per_class(labels: Ints, groups: Names, n_classes: int) -> list[int]:
    """Return in how many groups each class occurs."""
    return [len(set(groups[labels == index])) for index in range(n_classes)]


def _need_groups(labels: Ints, groups: Names, classes: Sequence[str], needed: int, purpose: str) -> int:
    """Return the fewest groups that any class has; an error where that is below `needed`."""
    counts = groups_per_class(labels, groups, len(classes))
    # a class that does not occur here asks for nothing
    present = [(count, name) for count, name in zip(counts, classes, strict=True) if count]
    fewest, name = min(present, default=(0, "any class"))
    if fewest < needed:
        way = f"Use {fewest} folds, or add" if fewest > TRAIN_GROUPS else "Add"
        raise InsufficientDataError(
            f"The class {name!r} is in {fewest} group(s); {purpose} needs at least {needed}, one for every "
            f"part. ({_counts(labels, groups, classes)}.) {way} images of other patients or scenes, or "
            "merge or drop the class."
        )
    return fewest


def _counts(labels: Ints, groups: Names, classes: Sequence[str]) -> str:
    counts = groups_per_class(labels, groups, len(classes))
    return "groups per class: " + ", ".join(
        f"{name} {count}" for name, count in zip(classes, counts, strict=True)
    )


def _parts(
    labels: Ints, groups: Names, share: Fraction, seeds: tuple[int, int], train_groups: int
) -> list[Ints] | None:
    """Return disjoint test parts of `share` of the samples each, made of whole groups, or None.

    Every class is in each part, and outside of it in at least `train_groups` groups. The samples
    are divided into as many pieces as the denominator says; each part takes as many as the
    numerator says, and pieces that are left over go to no part.
    """
    codes = np.unique(groups, return_inverse=True)[1]
    for attempt in range(ATTEMPTS):
        # streams of their own for each repeat and attempt, whatever the number of attempts before
        state = int(np.random.SeedSequence([*seeds, attempt]).generate_state(1)[0])
        pieces = grouped_pieces(labels, codes, share.denominator, state)
        starts = range(0, share.denominator - share.numerator + 1, share.numerator)
        parts = [np.sort(np.concatenate(pieces[start : start + share.numerator])) for start in starts]
        if all(_serves(labels, codes, part, train_groups) for part in parts):
            return parts
    return None


def _serves(labels: Ints, codes: Ints, test: Ints, train_groups: int) -> bool:
    """Tell whether each class is in the test part and in enough groups outside of it."""
    train = _rest(test, len(labels))
    return all(
        index in labels[test] and len(np.unique(codes[train][labels[train] == index])) >= train_groups
        for index in np.unique(labels)
    )


def _rest(test: Ints, n: int) -> Ints:
    return np.setdiff1d(np.arange(n, dtype=np.int64), test)


def _share(fraction: float, most: int) -> Fraction:
    """Return the nearest fraction with a denominator of at most `most`, strictly between 0 and 1."""
    near = Fraction(fraction).limit_denominator(most)
    return min(max(near, Fraction(1, most)), Fraction(most - 1, most))
