"""Does a contender still tell the classes when the subject is painted over? Then it reads something else.

A map shows where evidence was read; hiding the subject shows what remains without it. Both are told of each probe, and
a finding is raised where the AUROC without the subject is above chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UndefinedMetricError
from headtohead.core.formatting import format_percent
from headtohead.explain.faithfulness.checks import CheckedDifference, judge
from headtohead.explain.linear_model import explain_images
from headtohead.explain.words import place_words
from headtohead.stats.intervals.auroc_bootstrap import AurocInterval, bootstrap_auroc

if TYPE_CHECKING:
    from headtohead.core.records import Box
    from headtohead.explain.image_map import ImageMap
    from headtohead.explain.run.contender_maps import ProbeMaps
    from headtohead.explain.run.finished import FinishedRun
    from headtohead.preprocess.recipe import Prepared

__all__ = ["HiddenSubject", "hidden_subject", "outside_evidence", "paint_over"]

Floats = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]
IMAGES = 120  # spread over the run: an AUROC of 60 images a class has an interval of about 0.2
BATCH = 8
LEAST_OUTSIDE = 0.01  # share of the area; of less a contender sees next to nothing
LEAST_IMAGES = 20  # below, an AUROC says nothing
THIRDS = 3  # rows and columns of the parts that words name


@dataclass(frozen=True)
class HiddenSubject:
    """What remains of one contender without the subject.

    Attributes:
        hidden: AUROC when the subject is painted over, with its interval over groups.
        whole: AUROC of the same images as they are.
        share: mean share of the evidence for the predicted class that lies outside the subject.
        excess: that share less the share of the area, with its interval over groups.
        place: where most of the evidence outside lies, for its area.
    """

    hidden: AurocInterval
    whole: float
    share: float
    excess: CheckedDifference
    place: str

    @property
    def is_finding(self) -> bool:
        """Whether the classes are told above chance without the subject."""
        return self.hidden.low > 0.5

    def finding(self, contender: str, classes: Sequence[str]) -> str:
        """Return the finding as a sentence or two, "" where there is none."""
        if not self.is_finding:
            return ""
        return (
            f"{contender} still tells {classes[1]} from {classes[0]} when the subject is painted over: AUROC "
            f"{self.hidden}, where 0.5 is chance and whole images give {self.whole:.2f}. Part of what it has learned "
            "is therefore not inside the subject: background, borders, marks, or the outline, which stays visible. "
            f"{format_percent(self.share)} of the evidence in its maps lies outside the subject, densest at the "
            f"{self.place} of the image."
        )

    def to_json(self, contender: str, classes: Sequence[str]) -> dict[str, Any]:
        """Return all of it for `faithfulness.json`."""
        return {
            "auroc": self.hidden.record(),
            "auroc_whole": round(self.whole, 4),
            "share_outside": round(self.share, 4),
            "share_less_area": {k: round(v, 4) for k, v in asdict(self.excess).items()},
            "place": self.place,
            "finding": self.finding(contender, classes),
        }


def hidden_subject(
    maker: ProbeMaps, run: FinishedRun, found: Sequence[ImageMap], indices: Sequence[int]
) -> HiddenSubject | None:
    """Return what remains of a probe of two classes without the subject.

    Args:
        maker: of the contender's maps; run: the finished run.
        found: the contender's maps.
        indices: samples that were tested; up to 120 of them are used, evenly spread.

    Returns:
        None where fewer than twenty images show anything outside the subject, or all those are of one class.
    """
    chosen = list(indices[:: -(-len(indices) // IMAGES)])
    places: dict[str, Mask] = {}
    used: list[int] = []
    scores: list[float] = []
    waiting: list[tuple[int, Prepared]] = []

    def score() -> None:
        heads = [[maker.head(run.testing(index)[0])] for index, _ in waiting]
        made = explain_images(maker.model, [one for _, one in waiting], heads, [1] * len(waiting))
        used.extend(index for index, _ in waiting)
        scores.extend(one.log_odds for one in made)
        waiting.clear()

    label = f"{maker.contender.name} without the subject"
    for index in run.reporter.progress(chosen, label, len(chosen)):
        mask, prepared = _subject(run, index)
        if 1 - prepared_mask(mask, prepared).mean() < LEAST_OUTSIDE:
            continue
        places[run.dataset.samples[index].id] = mask
        waiting.append((index, paint_over(prepared, mask)))
        if len(waiting) == BATCH:
            score()
    if waiting:
        score()
    labels = run.labels.labels[used]
    maps = [one for one in found if one.sample in places]
    if len(used) < LEAST_IMAGES or not maps:
        return None
    groups = np.asarray(run.labels.groups[used], dtype=str)
    try:
        hidden = bootstrap_auroc(_two(scores), labels, groups, seed=run.config.seed)
        whole = bootstrap_auroc(_recorded(maker, run, used), labels, groups, seed=run.config.seed).value
    except UndefinedMetricError:
        return None
    shares, areas, place = outside_evidence(maps, places)
    of = {sample.id: sample.group for sample in run.dataset.samples}
    excess = judge(shares - areas, [of[one.sample] for one in maps])
    return HiddenSubject(hidden, whole, float(shares.mean()), excess, place)


def outside_evidence(maps: Sequence[ImageMap], subjects: Mapping[str, Mask]) -> tuple[Floats, Floats, str]:
    """Return how much of the evidence for the predicted class lies outside the subject.

    Args:
        maps: of one contender.
        subjects: sample -> (H, W), where its subject is.

    Returns:
        shares (n,) of the evidence, shares (n,) of the area seen, and in words which ninth of the images holds most
        evidence outside for the area that it has outside.
    """
    shares, areas = [], []
    evidence, room = np.zeros((THIRDS, THIRDS)), np.zeros((THIRDS, THIRDS))
    for one in maps:
        pixels = one.pixels().astype(np.float64)
        towards = np.maximum(pixels if one.attribution.log_odds >= 0 else -pixels, 0.0)
        outside = ~subjects[one.sample] & _inside(one.box, one.size)
        total = float(towards.sum()) or 1.0
        shares.append(float(towards[outside].sum()) / total)
        areas.append(float(outside.sum()) / ((one.box.bottom - one.box.top) * (one.box.right - one.box.left)))
        for row, rows in enumerate(np.array_split(np.arange(one.size[0]), THIRDS)):
            for column, columns in enumerate(np.array_split(np.arange(one.size[1]), THIRDS)):
                part = np.ix_(rows, columns)
                evidence[row, column] += float((towards[part] * outside[part]).sum()) / total
                room[row, column] += float(outside[part].mean())
    density = np.where(room > LEAST_OUTSIDE * len(maps), evidence / np.maximum(room, 1e-12), 0.0)
    most = divmod(int(density.argmax()), THIRDS)
    return np.array(shares), np.array(areas), place_words((most[0] + 0.5) / THIRDS, (most[1] + 0.5) / THIRDS)


def paint_over(image: Prepared, subject: Mask) -> Prepared:
    """Return a prepared image in which the subject has the median grey of what lies outside it.

    Args:
        image: as the recipe prepared it.
        subject: (H, W) in the original image's pixels.
    """
    from headtohead.preprocess.recipe import Prepared

    mask = prepared_mask(subject, image)
    pixels = image.pixels.copy()
    pixels[mask] = np.median(image.pixels[~mask], axis=0)
    return Prepared(pixels, image.box, image.history)


def prepared_mask(subject: Mask, image: Prepared) -> Mask:
    """Return a mask of the original image as one of the prepared image.

    Args:
        subject: (H, W) in the original image's pixels.
        image: as the recipe prepared it.
    """
    import cv2

    part = image.box.crop(subject).astype(np.uint8)
    height, width = image.pixels.shape[:2]
    return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_NEAREST) > 0)


def _subject(run: FinishedRun, index: int) -> tuple[Mask, Prepared]:
    from headtohead.preprocess.foreground import foreground_mask

    image = run.dataset.read(run.dataset.samples[index])
    return foreground_mask(image.pixels, image.window), run.recipe.apply(image)


def _inside(box: Box, size: tuple[int, int]) -> Mask:
    found = np.zeros(size, bool)
    found[box.top : box.bottom, box.left : box.right] = True
    return found


def _two(scores: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return (n, 2) probabilities of log-odds."""
    p = 1.0 / (1.0 + np.exp(-np.clip(np.asarray(scores, dtype=np.float64), -500, 500)))
    return np.column_stack([1.0 - p, p])


def _recorded(maker: ProbeMaps, run: FinishedRun, indices: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return (n, 2) recorded probabilities of the same heads."""
    rows = []
    for index in indices:
        fold = run.testing(index)[0]
        cell = run.cell(maker.contender.name, fold)
        rows.append(cell.probabilities[int(np.searchsorted(fold.test, index))])
    return np.asarray(rows, dtype=np.float64)
