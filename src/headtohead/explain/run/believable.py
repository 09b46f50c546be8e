"""Whether the maps of a run's probes can be believed: two checks that decide, and figures that stand beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.data.splits.even_sample import evenly_spaced
from headtohead.data.splits.folds import Fold
from headtohead.explain.faithfulness.checks import (
    CheckedDifference,
    judge,
    rank_correlation,
    sanity_words,
)
from headtohead.explain.image_map import EXACT, ImageMap
from headtohead.explain.linear_head import LinearHead
from headtohead.explain.methods.perturbation import blurred
from headtohead.explain.run.contender_maps import ProbeMaps, maps_of
from headtohead.explain.run.finished import FinishedRun
from headtohead.explain.run.head_maps import HeadMaps
from headtohead.explain.run.perturbed import Shown, mean_grey, random_network_model

__all__ = ["Believability", "check_maps", "check_probe"]

IMAGES = 60  # spread over the run; enough for an interval, a minute of work
BESIDE = 24  # images for the figures that decide nothing: five more passes through the network each
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
        deletion_grey: as `deletion`, with the image's mean grey in place of blur.
        insertion: rise of the log-odds when, of a blurred image, only the places with the most evidence are shown, less
            that for random ones.
        random_head, random_backbone: mean correlation with the map of a head, and of a network, of random weights.
    """

    labels: CheckedDifference
    deletion: CheckedDifference
    repeatability: float
    permuted: float
    deletion_grey: CheckedDifference
    insertion: CheckedDifference
    random_head: float
    random_backbone: float

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
            "random_head": round(self.random_head, 4),
            "random_backbone": round(self.random_backbone, 4),
            "labels": self.labels.to_json(),
            "deletion": self.deletion.to_json(),
            "deletion_grey": self.deletion_grey.to_json(),
            "insertion": self.insertion.to_json(),
        }


def check_maps(
    run: FinishedRun, found: Sequence[ImageMap], indices: Sequence[int], method: str = EXACT
) -> tuple[list[ImageMap], dict[str, Believability]]:
    """Return the maps with the results of their contender's checks, and the checks of each that was checked.

    Checked are maps in log-odds of probes with two classes and at least ten groups; an ensemble with a member whose
    maps fail fails with it, and others stay "not checked".

    Args:
        run: the finished run.
        found: maps of all contenders.
        indices: samples that were tested.
        method: by which the maps were made, exact or integrated contributions.
    """
    groups = {run.dataset.samples[index].group for index in indices}
    checks: dict[str, Believability] = {}
    if len(run.dataset.classes) == 2 and len(groups) >= LEAST_GROUPS:
        for name in dict.fromkeys(one.contender for one in found):
            maker = maps_of(name, run)
            if isinstance(maker, ProbeMaps):
                checks[name] = check_probe(maker, run, indices, method)
    told = {name: one.sanity for name, one in checks.items()}
    for contender in run.plan.contenders:  # members stand before the ensembles that hold them
        failed = [name for name in contender.members if told.get(name, "").startswith("failed")]
        if failed:
            told[contender.name] = f"failed: it holds the maps of {' and '.join(failed)}, which failed"
    return [replace(one, sanity=told.get(one.contender, one.sanity)) for one in found], checks


def check_probe(
    maker: ProbeMaps, run: FinishedRun, indices: Sequence[int], method: str = EXACT
) -> Believability:
    """Return whether the maps of a probe can be believed.

    Args:
        maker: of the contender's maps.
        run: the finished run.
        indices: samples that were tested; up to 60 of them are used, evenly spread, or 24 for integrated
            contributions.
        method: by which the maps are made.
    """
    most = IMAGES if method == EXACT else BESIDE
    maps = HeadMaps(method, run)
    chosen = list(evenly_spaced(indices, most))
    rng = np.random.default_rng(run.config.seed)
    controls: dict[tuple[int, int], list[LinearHead]] = {}
    figures: dict[str, list[float]] = defaultdict(list)
    scrambled = random_network_model(maker, run.config.seed)
    starts = range(0, len(chosen), BATCH)
    for start in run.reporter.progress(starts, f"checks of {maker.contender.name}", len(starts)):
        part = chosen[start : start + BATCH]
        folds = [run.testing(index)[0] for index in part]
        for fold in folds:
            key = (fold.repeat, fold.fold)
            controls[key] = controls.get(key) or _controls(maker, run, fold, rng)
        heads = [[maker.head(fold), *controls[fold.repeat, fold.fold]] for fold in folds]
        images = [run.prepared(index) for index in part]
        found = maps(maker.model, images, heads, folds)
        for own in found:
            figures["same"].append(rank_correlation(own[1].grid, own[2].grid))
            figures["permuted"].append(rank_correlation(own[0].grid, own[3].grid))
            figures["random head"].append(rank_correlation(own[0].grid, own[4].grid))
        shown = Shown(maker.model, images, [[one[0]] for one in heads], [own[0].grid for own in found])
        figures["deletion"] += shown.changes(rng, blurred)
        if start < BESIDE:
            figures["deletion, grey"] += shown.changes(rng, mean_grey)
            figures["insertion"] += shown.changes(rng, blurred, insert=True)
            figures["random backbone"] += shown.correlations(scrambled, maps, folds)
    groups = [run.dataset.samples[index].group for index in chosen]

    def judged(differences: npt.ArrayLike) -> CheckedDifference:
        values = np.asarray(differences, dtype=np.float64)
        # figures that decide nothing are of the first images alone
        return judge(values, groups[: len(values)])

    return Believability(
        # absolute: a map that permuted labels merely reverse shows the image as well
        judged(np.array(figures["same"]) - np.abs(figures["permuted"])),
        judged(figures["deletion"]),
        float(np.mean(figures["same"])),
        float(np.mean(figures["permuted"])),
        judged(figures["deletion, grey"]),
        judged(figures["insertion"]),
        float(np.mean(figures["random head"])),
        float(np.mean(figures["random backbone"])),
    )


def _controls(maker: ProbeMaps, run: FinishedRun, fold: Fold, rng: np.random.Generator) -> list[LinearHead]:
    """Return heads at the recorded C, on two halves of the training groups and on permuted labels, and a random one."""
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
    heads = [LinearHead.from_probe(probe) for probe in fitted]
    return [*heads, replace(heads[-1], weights=_shuffled(heads[-1].weights, rng))]


def _shuffled(weights: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return random weights of the same spread as a head's."""
    return np.asarray(rng.normal(scale=weights.std() or 1.0, size=weights.shape))
