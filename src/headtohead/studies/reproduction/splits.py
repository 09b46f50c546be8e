"""The splits of a state of the protocol: random fifths, whole groups or not, or grouped folds; with their leaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import InsufficientDataError
from headtohead.data.dataset import Dataset
from headtohead.data.splits.folds import CrossValidationSplits, Fold
from headtohead.studies.reproduction.protocol import ARMS, CORRECTIONS, Arm, Correction
from headtohead.training.records import Ints

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Split", "SplitTables", "draw_split", "leak_share", "split_tables"]

SCORED_SHARE = 0.2  # the published 80:20 split
SPLIT_STREAM = 11  # sets these draws apart from others of the same seed


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """One draw of a state: sorted sample indices (n,) to learn from and to score."""

    train: Ints
    scored: Ints


class SplitSource(Protocol):
    """What knows the splits of every state."""

    dataset: Dataset

    def splits(self, step: Correction, arm: Arm) -> list[Split]:
        """Return the split of every draw of a state."""


@dataclass(frozen=True, slots=True)
class SplitTables:
    """The splits of all states as the run folder stores them.

    Attributes:
        frame: sample, repeat (the draw), fold, part, state, arm.
        proof: for each split the sizes of its parts and how many groups, hashes and files they share.
        leaks: what is shared in the states that reproduce a leak.
    """

    frame: pd.DataFrame
    proof: list[dict[str, Any]]
    leaks: list[dict[str, Any]]


def draw_split(labels: Ints, groups: npt.NDArray[Any], pool: Ints, *, grouped: bool, seed: int) -> Split:
    """Draw a stratified fifth of the pool to be scored; the rest of it is learned from.

    Args:
        labels: (n,) class indices of all samples.
        groups: (n,) their groups.
        pool: indices of the samples that take part.
        grouped: whether a group stays whole.
        seed: of the draw.

    Raises:
        InsufficientDataError: a fifth of the images of any class is less than one.
    """
    rng = np.random.default_rng([seed, SPLIT_STREAM])
    units = groups[pool] if grouped else pool
    scored: list[Ints] = []
    for label in np.unique(labels[pool]):
        members = pool[labels[pool] == label]
        names = units[labels[pool] == label].astype(str)
        target, count = round(SCORED_SHARE * len(members)), 0
        for name in rng.permutation(np.unique(names)):
            if count >= target:
                break
            drawn = members[names == name]
            scored.append(drawn)
            count += len(drawn)
    if not scored:
        raise InsufficientDataError(
            f"A fifth of {len(pool)} images, class by class, is none; the study needs at least 3 images of a class."
        )
    test = np.sort(np.concatenate(scored))
    if grouped:  # a group with both labels must not straddle the split
        test = np.sort(pool[np.isin(groups[pool], np.unique(groups[test]))])
    return Split(np.setdiff1d(pool, test), test)


def leak_share(split: Split, groups: npt.NDArray[Any]) -> float:
    """Return the share of scored images that have a copy (a member of their group) in training."""
    return float(np.isin(groups[split.scored], np.unique(groups[split.train])).mean())


def split_tables(source: SplitSource) -> SplitTables:
    """Return the splits of every state and arm with their leak proof.

    Raises:
        LeakageError: a state that keeps groups whole leaks all the same.
    """
    import pandas as pd

    frames, proof, leaks = [], [], []
    for step in CORRECTIONS:
        for arm in ARMS:
            where = {"state": step.name, "arm": arm}
            folds = tuple(
                Fold(draw, 0, split.train, split.scored)
                for draw, split in enumerate(source.splits(step, arm))
            )
            # States that do not keep groups whole leak on purpose: that is what they measure.
            checked = CrossValidationSplits.checked(source.dataset, folds, allow_leaks=not step.grouped)
            frames.append(checked.frame().assign(**where))
            proof += [{**where, **counts} for counts in checked.proof]
            leaks += [{**where, **leak.model_dump(mode="json")} for leak in checked.leaks]
    return SplitTables(pd.concat(frames, ignore_index=True), proof, leaks)
