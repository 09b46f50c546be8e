"""Plan of the demonstration set: copies, wrong labels and odd files, drawn before any image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["COPY_KINDS", "DemoPlan", "PlannedCopy", "draw_plan"]

COPY_KINDS = ("byte copy", "recompressed", "rescaled", "re-cropped")
_COPY_SHARES = (0.05, 0.04, 0.04, 0.04)  # of all images, one share for each kind of copy
_LESION_SHARE = 0.55  # not one half, so that accuracy and balanced accuracy differ


@dataclass(frozen=True, slots=True)
class PlannedCopy:
    """A second file of a scene that is there already."""

    scene: int
    kind: str


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """Random choices about the set as a whole.

    Attributes:
        has_lesion: per scene, whether there is a lesion.
        copies: second files, each of a different scene.
        mislabelled: scenes that lie in the wrong folder.
        white_frame, png_in_jpg, capital_suffix: scenes whose file is odd in that way.
        order: permutation of all files (scenes first, then copies), by which they are numbered.
    """

    has_lesion: tuple[bool, ...]
    copies: tuple[PlannedCopy, ...]
    mislabelled: frozenset[int]
    white_frame: frozenset[int]
    png_in_jpg: frozenset[int]
    capital_suffix: frozenset[int]
    order: tuple[int, ...]


def draw_plan(n: int, seed: int) -> DemoPlan:
    """Draw the plan of a set of `n` readable images.

    Args:
        n: images in all, copies among them.
        seed: of the set.
    """
    rng = np.random.default_rng([seed, 2**31])  # apart from the streams of the scenes, [seed, number]
    counts = [max(1, round(share * n)) for share in _COPY_SHARES]
    scenes = n - sum(counts)
    has_lesion = np.arange(scenes) < round(_LESION_SHARE * scenes)
    rng.shuffle(has_lesion)
    copied = iter(rng.permutation(scenes).tolist())
    copies = tuple(
        PlannedCopy(next(copied), kind)
        for kind, count in zip(COPY_KINDS, counts, strict=True)
        for _ in range(count)
    )
    # the odd ones are drawn from scenes without copies, so that each defect stands alone
    rest = list(copied)
    few = max(1, round(0.01 * n))
    mislabelled = frozenset(rest[:few])
    white_frame = frozenset(rest[few : few + 3 * few])
    png_in_jpg = frozenset(rest[4 * few : 5 * few])
    # a planted confound: the suffix leans on the label
    capital = frozenset(s for s in rest[5 * few :] if rng.random() < (0.3 if has_lesion[s] else 0.08))
    order = tuple(int(k) for k in rng.permutation(n))
    return DemoPlan(
        tuple(bool(value) for value in has_lesion),
        copies,
        mislabelled,
        white_frame,
        png_in_jpg,
        capital,
        order,
    )
