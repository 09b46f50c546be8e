"""The learning curve of `compare`: every probe fitted again on nested parts of each fold's training groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import InsufficientDataError, LeakageError, NoEffectError
from headtohead.core.progress import QUIET, Reporter
from headtohead.data.splits.folds import Fold

if TYPE_CHECKING:
    from headtohead.contenders.plan import ContenderPlan
    from headtohead.core.run_folder import RunFolder
    from headtohead.evaluate.verdict import VerdictConfig
    from headtohead.heads.base import CellLookup, Head, SampleLabels

__all__ = [
    "CurveInputs",
    "check_part",
    "fit_learning_curve",
    "nested_parts",
    "probes_of",
    "seconds_needed",
    "write_learning_curve",
]

Ints = npt.NDArray[np.int64]

CURVE = "learning_curve.json"
SHARES = (0.25, 0.5, 0.75)  # of the training groups; the run itself holds the whole
UNASKED_SECONDS = 120.0  # a curve that would take longer is computed only where it is asked for
_STREAM = 20_263  # keeps the draw of groups apart from the other draws of the same seed


@dataclass(frozen=True)
class CurveInputs:
    """What the curve is computed from.

    Attributes:
        folds: of the run. data: labels and groups of all samples. ids: of the samples.
        heads: name -> head of each probe. cells: finished results of the whole training parts.
        question: metric, level and resamples of the verdict. seed: of the study.
    """

    folds: Sequence[Fold]
    data: SampleLabels
    ids: Sequence[str]
    heads: Mapping[str, Head]
    cells: CellLookup
    question: VerdictConfig
    seed: int


def probes_of(plan: ContenderPlan) -> list[str]:
    """Return the names of the contenders whose curve costs seconds: probes on cached features."""
    return [one.name for one in plan.contenders if one.mode is not None and one.mode.mode.name == "probe"]


def seconds_needed(spent: Mapping[str, Mapping[str, Any]], names: Sequence[str], share: float = 1.0) -> float:
    """Return about how long the parts take, from what a cell of the whole took: time grows as the training part does.

    Args:
        spent: contender -> what its cells took, the content of `spent.json`. names: of the probes.
        share: of the cells that the curve is made of.
    """
    known = [spent[name] for name in names if name in spent]  # runs of earlier versions know the sum alone
    whole = (len(c["trials"]) * c["typical_cell"] if "typical_cell" in c else c["seconds"] for c in known)
    return share * sum(SHARES) * float(sum(whole))


def write_learning_curve(
    run: RunFolder,
    plan: ContenderPlan,
    inputs: Callable[[Sequence[str]], CurveInputs],
    reporter: Reporter = QUIET,
    *,
    leaks: bool,
    asked: bool | None,
    share: float = 1.0,
) -> None:
    """Compute the curve and write it, once; where it was not asked for, only if it takes no more than minutes.

    Args:
        run: the run folder, whose cells are finished. plan: its contenders.
        inputs: names of probes -> what their curve is computed from.
        reporter: shows progress; is told where the curve is left out because it takes long.
        leaks: whether the split leaks. asked: True, False, or None for where it is cheap.
        share: of the run's cells that the curve is made of.

    Raises:
        NoEffectError: it was asked for, and no contender is a probe, or the split leaks.
    """
    names = probes_of(plan)
    if asked is False or (run / CURVE).is_file() or (asked is None and (leaks or not names)):
        return
    if not names:
        raise NoEffectError("A learning curve is made of probes, and no contender is one (write NAME@probe).")
    if leaks:
        raise NoEffectError("The split leaks, so a learning curve would say nothing about new images.")
    seconds = 0.0 if asked else seconds_needed(run.json("spent.json")["spent"], names, share)
    if seconds > UNASKED_SECONDS:
        reporter.info(
            f"No learning curve: it would take about {seconds / 60:.0f} min; --learning-curve makes it."
        )
        return
    content = fit_learning_curve(inputs(names), run.path, reporter)
    others = [contender.name for contender in plan.contenders if contender.name not in names]
    run.write(CURVE, {**content, "not_probes": others})


def nested_parts(fold: Fold, data: SampleLabels, seed: int) -> dict[float, Ints]:
    """Return share -> the samples of that share of the fold's training groups; each part contains the smaller ones.

    Groups are drawn by class, so that every part has about the classes of the whole. The draw depends on the seed,
    the repeat and the fold alone: every contender sees the same parts.

    Args:
        fold: of the run. data: labels and groups. seed: of the study.
    """
    rng = np.random.default_rng([seed, fold.repeat, fold.fold, _STREAM])
    groups, labels = data.groups[fold.train].astype(str), data.labels[fold.train]
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    # Groups are numbered by their first sample, so that what they are called plays no part.
    rank = np.argsort(np.argsort(first))
    of_group = labels[np.sort(first)]
    place = np.empty(len(of_group))
    for label in np.unique(of_group):
        own = np.flatnonzero(of_group == label)
        # Spread evenly over (0, 1): sorted, any first part has the classes of the whole.
        place[own] = (rng.permutation(len(own)) + 0.5) / len(own)
    order = np.argsort(place, kind="stable")
    parts = {}
    for share in SHARES:
        kept = order[: max(1, round(share * len(order)))]
        parts[share] = fold.train[np.isin(rank[member], kept)]
    return parts


def check_part(part: Ints, fold: Fold, groups: npt.NDArray[Any]) -> None:
    """Prove that a part lies in its fold's training part, holds whole groups, and shares none with the test part.

    Raises:
        LeakageError: it does not.
    """
    names = groups.astype(str)
    where = f"The part of {len(part)} samples of repeat {fold.repeat}, fold {fold.fold}"
    if strange := np.setdiff1d(part, fold.train).size:
        raise LeakageError(f"{where} has {strange} samples from outside the training part; expected none.")
    if shared := np.intersect1d(names[part], names[fold.test]).size:
        raise LeakageError(f"{where} shares {shared} groups with the test part; expected none.")
    rest = np.setdiff1d(fold.train, part)
    if split := np.intersect1d(names[part], names[rest]).size:
        raise LeakageError(f"{where} holds {split} groups only in part; expected whole groups.")


def fit_learning_curve(
    inputs: CurveInputs,
    workdir: Path,
    reporter: Reporter = QUIET,
    *,
    draw: Callable[[Fold, SampleLabels, int], dict[float, Ints]] = nested_parts,
) -> dict[str, Any]:
    """Return the content of `learning_curve.json`.

    A share that some fold cannot be fitted on (a class is left in one group) is left out everywhere, and named.

    Args:
        inputs: folds, heads, finished cells, question.
        workdir: the run folder, where the fits of each contender are kept. reporter: shows progress.
        draw: how the parts are drawn.

    Raises:
        LeakageError: a part crosses groups.
    """
    from headtohead.evaluate.learning_curve import SizedPredictions, learning_curve
    from headtohead.heads.cross_validation import make_fold_job
    from headtohead.heads.prediction_tables import predictions_table
    from headtohead.studies.curve_fits import CurveFits

    drawn = [draw(fold, inputs.data, inputs.seed) for fold in inputs.folds]
    for fold, parts in zip(inputs.folds, drawn, strict=True):
        for part in parts.values():
            check_part(part, fold, inputs.data.groups)
    fits = CurveFits(workdir, inputs.data, inputs.seed, reporter)
    smaller = {
        share: [
            Fold(fold.repeat, fold.fold, parts[share], fold.test)
            for fold, parts in zip(inputs.folds, drawn, strict=True)
        ]
        for share in SHARES
    }
    fits.prepare(inputs.heads, smaller)
    sized, left_out = [], []
    for share, folds in smaller.items():
        try:
            cells = [
                (name, fold, result)
                for name, head in inputs.heads.items()
                for fold, result in zip(folds, fits.results(name, head, folds, share), strict=True)
            ]
        except InsufficientDataError as error:
            left_out.append(f"{100 * share:.0f} % of the training groups: {error}")
            continue
        groups = _mean_groups([parts[share] for parts in drawn], inputs.data)
        sized.append(SizedPredictions(share, groups, predictions_table(cells, inputs.data, inputs.ids)))
    whole = [
        (name, fold, inputs.cells(name, make_fold_job(fold, inputs.seed)))
        for name in inputs.heads
        for fold in inputs.folds
    ]
    groups = _mean_groups([fold.train for fold in inputs.folds], inputs.data)
    sized.append(SizedPredictions(1.0, groups, predictions_table(whole, inputs.data, inputs.ids)))
    repeats = len({fold.repeat for fold in inputs.folds})
    found = learning_curve(sized, list(inputs.heads), inputs.question)
    return {**found, "left_out": left_out, "repeats": repeats}


def _mean_groups(parts: Sequence[Ints], data: SampleLabels) -> float:
    names = data.groups.astype(str)
    return float(np.mean([len(np.unique(names[part])) for part in parts]))
