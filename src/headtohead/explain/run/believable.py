"""Whether the maps of a run's probes can be believed: the two checks, on images spread over the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.data.splits.folds import Fold
from headtohead.explain.faithfulness.checks import (
    CheckedDifference,
    judge,
    rank_correlation,
    sanity_words,
    top_cells,
)
from headtohead.explain.image_map import ImageMap
from headtohead.explain.linear_head import LinearHead
from headtohead.explain.linear_model import explain_heads, explain_images
from headtohead.explain.methods.perturbation import blurred, mixed
from headtohead.explain.run.contender_maps import ProbeMaps, maps_of
from headtohead.explain.run.finished import FinishedRun
from headtohead.preprocess.recipe import Prepared

__all__ = ["Believability", "check_maps", "check_probe"]

IMAGES = 60  # spread over the run; enough for an interval, a minute of work
BATCH = 8
LEAST_GROUPS = 10  # below, an interval over groups says nothing


@dataclass(frozen=True)
class Believability:
    """The results of the checks on one contender's maps.

    Attributes:
        labels: rank correlation of two heads on halves of the training groups, less the absolute one with a head
            on permuted labels.
        deletion: drop of the log-odds when the places with the most evidence are blurred, less that for random ones.
        repeatability, permuted: the two mean correlations themselves.
    """

    labels: CheckedDifference
    deletion: CheckedDifference
    repeatability: float
    permuted: float

    @property
    def sanity(self) -> str:
        """Return "passed" or "failed: …"."""
        return sanity_words(self.labels, self.deletion)

    def to_json(self) -> dict[str, Any]:
        """Return all of it for `faithfulness.json`."""
        return {
            "sanity": self.sanity,
            "repeatability": round(self.repeatability, 4),
            "permuted_labels": round(self.permuted, 4),
            "labels": self.labels.to_json(),
            "deletion": self.deletion.to_json(),
        }


def check_maps(
    run: FinishedRun, found: Sequence[ImageMap], indices: Sequence[int]
) -> tuple[list[ImageMap], dict[str, Believability]]:
    """Return the maps with the results of their contender's checks, and the checks of each that was checked.

    Checked are exact maps of probes with two classes and at least ten groups; others stay "not checked".

    Args:
        run: the finished run.
        found: maps of all contenders.
        indices: samples that were tested.
    """
    groups = {run.dataset.samples[index].group for index in indices}
    checks: dict[str, Believability] = {}
    if len(run.dataset.classes) == 2 and len(groups) >= LEAST_GROUPS:
        for name in dict.fromkeys(one.contender for one in found):
            maker = maps_of(name, run)
            if isinstance(maker, ProbeMaps):
                checks[name] = check_probe(maker, run, indices)
    marked = [
        replace(one, sanity=checks[one.contender].sanity) if one.contender in checks else one for one in found
    ]
    return marked, checks


def check_probe(maker: ProbeMaps, run: FinishedRun, indices: Sequence[int]) -> Believability:
    """Return whether the maps of a probe can be believed.

    Args:
        maker: of the contender's maps.
        run: the finished run.
        indices: samples that were tested; up to 60 of them are used, evenly spread.
    """
    chosen = list(indices[:: max(1, len(indices) // IMAGES)][:IMAGES])
    rng = np.random.default_rng(run.config.seed)
    controls: dict[tuple[int, int], list[LinearHead]] = {}
    same, permuted, drops = [], [], []
    starts = range(0, len(chosen), BATCH)
    for start in run.reporter.progress(starts, f"checks of {maker.contender.name}", len(starts)):
        part = chosen[start : start + BATCH]
        folds = [run.testing(index)[0] for index in part]
        for fold in folds:
            key = (fold.repeat, fold.fold)
            controls[key] = controls.get(key) or _controls(maker, run, fold, rng)
        heads = [[maker.head(fold), *controls[fold.repeat, fold.fold]] for fold in folds]
        images = [run.prepared(index) for index in part]
        found = explain_heads(maker.model, images, heads, [1] * len(part))
        for own in found:
            same.append(rank_correlation(own[1].grid, own[2].grid))
            permuted.append(rank_correlation(own[0].grid, own[3].grid))
        drops += _drops(maker, images, [[one[0]] for one in heads], [own[0].grid for own in found], rng)
    groups = [run.dataset.samples[index].group for index in chosen]
    gap = np.array(same) - np.abs(permuted)
    return Believability(
        judge(gap, groups), judge(np.array(drops), groups), float(np.mean(same)), float(np.mean(permuted))
    )


def _controls(maker: ProbeMaps, run: FinishedRun, fold: Fold, rng: np.random.Generator) -> list[LinearHead]:
    """Return heads on two halves of the training groups, and one on permuted labels, all at the recorded C."""
    from threadpoolctl import threadpool_limits

    from headtohead.training.logistic import fit_probe

    c, labels = run.cell(maker.contender.name, fold).chosen["C"], run.labels.labels
    names = np.unique(np.asarray(run.labels.groups[fold.train], dtype=str))
    half = set(rng.permutation(names)[: len(names) // 2])
    first = np.array([str(group) in half for group in run.labels.groups[fold.train]])
    parts = [fold.train[first], fold.train[~first]]
    with threadpool_limits(limits=1):
        fitted = [fit_probe(maker.rows[part], labels[part], c) for part in parts]
        fitted.append(fit_probe(maker.rows[fold.train], rng.permutation(labels[fold.train]), c))
    return [LinearHead.from_probe(probe) for probe in fitted]


def _drops(
    maker: ProbeMaps,
    images: Sequence[Prepared],
    heads: Sequence[Sequence[LinearHead]],
    grids: Sequence[npt.NDArray[np.float64]],
    rng: np.random.Generator,
) -> list[float]:
    """Return for each image how much lower the log-odds are with the top places hidden than with random ones."""
    hidden = []
    for image, grid in zip(images, grids, strict=True):
        top = top_cells(grid)
        random = rng.permutation(top.ravel()).reshape(top.shape)
        soft = blurred(image.pixels)
        for mask in (top, random):
            kept = 1.0 - mask.astype(np.float64)
            hidden.append(Prepared(mixed(image.pixels, soft, kept), image.box, image.history))
    twice = [own for own in heads for _ in range(2)]
    found = [one.log_odds for one in explain_images(maker.model, hidden, twice, [1] * len(hidden))]
    return [random - top for top, random in zip(found[::2], found[1::2], strict=True)]
