"""Explain a finished run: choose images and contenders, make their maps, write the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.core.errors import UsageError, unknown_name
from headtohead.core.progress import QUIET, Reporter
from headtohead.explain.attribution import log_odds
from headtohead.explain.image_map import EXACT, ImageMap
from headtohead.explain.run.chosen_images import chosen_images, mean_predictions, tested_images
from headtohead.explain.run.contender_maps import maps_of
from headtohead.explain.run.finished import FinishedRun
from headtohead.explain.run.head_maps import SUMS
from headtohead.explain.run.recorded import as_recorded

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.explain.run.believable import Believability

__all__ = ["ExplainRequest", "RunMaps", "explain_run", "image_maps"]

MOST_GRIDS = 600  # images whose grids a page holds; above, only those that were asked for


@dataclass(frozen=True)
class ExplainRequest:
    """What of a run is explained.

    Attributes:
        images: "errors" (wrong for a contender, or contenders disagree), "all", or sample ids with commas.
        contenders: names; empty for all whose score is a sum over places.
        method: how maps are made.
        target: the class whose log-odds are explained; by default the positive one of two, of more than two the
            class that the contender holds most probable.
        masks: folder of masks that say where the finding lies, to compare exact maps with.
    """

    images: str | tuple[str, ...] = "errors"
    contenders: tuple[str, ...] = ()
    method: str = EXACT
    target: str | None = None
    masks: Path | None = None


@dataclass(frozen=True)
class RunMaps:
    """The maps of a run.

    Attributes:
        folder: `maps` of the run folder.
        maps: of the images that were asked for, contender by contender.
        limits: contender -> end of the colour scale, per 1 % of the area; of the exact method one for all.
        left_out: contender -> why it has no map.
        findings: what the contenders read outside the subject, in sentences.
    """

    folder: Path
    maps: tuple[ImageMap, ...]
    limits: dict[str, float]
    left_out: dict[str, str]
    findings: tuple[str, ...] = ()


def explain_run(
    path: Path, request: ExplainRequest, reporter: Reporter = QUIET, *, cache: Path | None = None
) -> RunMaps:
    """Make the maps of a run, write their files into `maps/`, and return them.

    Args:
        path: the run folder.
        request: images, contenders, method, class.
        reporter: shows progress.
        cache: of features.

    Raises:
        RunFolderError: no finished run, or a head that does not give the recorded probabilities.
        UnknownNameError: an image, contender, class or method that does not exist.
        UsageError: no contender can be explained in this way.
    """
    from headtohead.explain.run.agreement import contender_agreement
    from headtohead.explain.run.believable import check_maps
    from headtohead.explain.run.files import kept_grids, write_checks, write_grids
    from headtohead.explain.run.known_regions import localisation_table

    run = FinishedRun(path, cache, reporter)
    masks = _allowed_masks(run, request)
    is_sum = request.method in SUMS
    names = _contenders(run, request)
    chosen = chosen_images(run, request.images, names)
    everything = tested_images(run)
    with_grids = request.method == EXACT and len(everything) <= MOST_GRIDS
    found, left_out = _of_contenders(run, names, everything if with_grids else chosen, request)
    checks: dict[str, Believability] = {}
    if is_sum:
        found, checks = check_maps(run, found, everything, request.method)
    remains = _without_subject(run, found, everything, list(checks))
    localisation = (
        localisation_table(found, run.dataset.samples, masks, seed=run.config.seed) if masks else {}
    )
    wanted = {run.dataset.samples[index].id for index in chosen}
    shown = tuple(one for one in found if one.sample in wanted)
    folder = path / "maps"
    kept = kept_grids(folder, found) if is_sum else {}
    limits = _limits(found, request.method)
    if kept:  # contenders that were drawn before keep their scale, so the new ones take it
        limits = dict.fromkeys(limits, float(kept["color_limit"]))
    _write(run, folder, shown, limits)
    if is_sum:
        write_grids(folder, found, next(iter(limits.values())), kept)
        write_checks(
            folder,
            {name: one.to_json() | remains.get(name, {}) for name, one in checks.items()},
            contender_agreement(found, {sample.id: sample.group for sample in run.dataset.samples}),
            localisation,
            method=request.method,
            drawn={one.contender for one in found},
            stay=tuple(kept.get("contenders", ())),
        )
    findings = tuple(f for one in remains.values() if (f := str(one["subject_hidden"]["finding"])))
    return RunMaps(folder, shown, limits, left_out, findings)


def _without_subject(
    run: FinishedRun, found: Sequence[ImageMap], indices: Sequence[int], names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return contender -> what remains of it when the subject is painted over, of those where that can be told."""
    from headtohead.explain.run.contender_maps import ProbeMaps
    from headtohead.explain.run.hidden_subject import hidden_subject

    told: dict[str, dict[str, Any]] = {}
    for name in names:
        maker = maps_of(name, run)
        assert isinstance(maker, ProbeMaps)  # only probes are checked
        own = hidden_subject(maker, run, [one for one in found if one.contender == name], indices)
        if own is not None:
            told[name] = {"subject_hidden": own.to_json(name, run.dataset.classes)}
            if own.is_finding:
                run.reporter.warning(own.finding(name, run.dataset.classes))
    return told


def _allowed_masks(run: FinishedRun, request: ExplainRequest) -> Mapping[str, tuple[Path, ...]]:
    """Return sample -> mask, {} where none is asked for.

    Raises:
        UnknownNameError: a class or method that does not exist.
        UsageError: masks that no map of this method can be compared with, or that are not found.
    """
    from headtohead.explain.methods.registry import check_method
    from headtohead.explain.run.mask_folder import find_masks

    if request.target is not None and request.target not in run.dataset.classes:
        raise unknown_name("class", request.target, run.dataset.classes)
    check_method(request.method)
    if request.masks is not None and request.method not in SUMS:
        raise UsageError(
            f"Masks are compared with maps in log-odds ({' or '.join(SUMS)}); got the method {request.method!r}."
        )
    return find_masks(request.masks, run.dataset.samples) if request.masks is not None else {}


def _of_contenders(
    run: FinishedRun, names: Sequence[str], indices: Sequence[int], request: ExplainRequest
) -> tuple[list[ImageMap], dict[str, str]]:
    """Return the maps of all contenders, and contender -> why it has none.

    Raises:
        UsageError: a contender that was asked for by name, or each of them, cannot be explained in this way.
    """
    found: list[ImageMap] = []
    left_out: dict[str, str] = {}
    for name in names:
        try:
            found += image_maps(run, name, indices, request)
        except UsageError as error:
            if request.contenders:
                raise
            left_out[name] = str(error)
            run.reporter.warning(str(error))
    if not found:
        raise UsageError(
            f"No contender of {run.path} can be explained by {request.method!r}: {'; '.join(left_out.values())}"
        )
    return found, left_out


def _limits(found: Sequence[ImageMap], method: str) -> dict[str, float]:
    """Return contender -> end of the colour scale: one for all in log-odds, one each in a method's own units."""
    from headtohead.explain.overlay import color_limit

    names = dict.fromkeys(one.contender for one in found)
    if method in SUMS:
        return dict.fromkeys(names, color_limit(found))
    return {name: color_limit([one for one in found if one.contender == name]) for name in names}


def _write(run: FinishedRun, folder: Path, shown: Sequence[ImageMap], limits: Mapping[str, float]) -> None:
    """Write maps, pictures and the index, in which maps by other methods stay."""
    from headtohead.explain.run.files import read_index, write_index, write_map

    samples = {sample.id: sample for sample in run.dataset.samples}
    rows = []
    for one in run.reporter.progress(shown, "writing maps", len(shown)):
        sample = samples[one.sample]
        file = write_map(folder, one, run.dataset.read(sample), limits[one.contender])
        place = file.relative_to(folder).as_posix()
        rows.append((one.sample, sample.path, one.contender, one.method, place, one.sanity))
    new = {row[4] for row in rows}
    write_index(folder, [*(row for row in read_index(folder) if row[4] not in new), *rows])


def image_maps(
    run: FinishedRun, name: str, indices: Sequence[int], request: ExplainRequest
) -> list[ImageMap]:
    """Return the maps of some images by one contender, by heads that did not see them.

    Args:
        run: the finished run.
        name: of the contender.
        indices: positions of samples that were tested.
        request: method and class.

    Raises:
        UsageError: the contender cannot be explained in this way.
    """
    maker = maps_of(name, run)
    predictions = mean_predictions(run, name)
    targets = _targets(run, predictions, indices, request.target)
    probabilities = {
        (str(row["sample"]), label): float(row[f"prob_{label}"])
        for row in predictions.reset_index().to_dict("records")
        for label in run.dataset.classes
    }
    recorded = [
        float(log_odds(probabilities[run.dataset.samples[index].id, run.dataset.classes[target]]))
        for index, target in zip(indices, targets, strict=True)
    ]
    if request.method == EXACT:
        made = [
            as_recorded(own, value, run.dataset.samples[index].id, name)
            for own, value, index in zip(maker.per_repeat(indices, targets), recorded, indices, strict=True)
        ]
    else:
        made = [
            as_recorded([own], value, run.dataset.samples[index].id, name) if own.is_sum else own
            for own, value, index in zip(
                maker.by_method(request.method, indices, targets), recorded, indices, strict=True
            )
        ]
    return [
        ImageMap(
            sample.id, name, request.method, run.dataset.classes, attribution, run.prepared(index).box,
            (sample.height, sample.width), sample.label, value,
        )
        for index, attribution, value in zip(indices, made, recorded, strict=True)
        for sample in [run.dataset.samples[index]]
    ]  # fmt: skip


def _contenders(run: FinishedRun, request: ExplainRequest) -> list[str]:
    known = [contender.name for contender in run.plan.contenders]
    for name in request.contenders:
        if name not in known:
            raise unknown_name("contender", name, known)
    return list(request.contenders) or known


def _targets(
    run: FinishedRun, predictions: pd.DataFrame, indices: Sequence[int], target: str | None
) -> list[int]:
    classes = run.dataset.classes
    if target is not None:
        return [classes.index(target)] * len(indices)
    if len(classes) == 2:
        return [1] * len(indices)
    columns = [f"prob_{label}" for label in classes]
    ids = [run.dataset.samples[index].id for index in indices]
    return [int(np.argmax(row)) for row in predictions.loc[ids, columns].to_numpy()]
