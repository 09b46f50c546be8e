"""The model that `best` leaves behind: what the estimate describes, fitted on all images, and how to ask it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.atomic_io import write_atomic
from headtohead.core.errors import UsageError
from headtohead.core.progress import QUIET, Reporter
from headtohead.data.dataset import Dataset
from headtohead.studies.search.search_space import CandidateSpec, FeatureProvider

__all__ = ["model_probabilities", "searched_model"]

Floats = npt.NDArray[np.float64]
PARTS = ("mean", "scale", "weights", "bias")


def searched_model(
    tried: Sequence[CandidateSpec], kitchen: FeatureProvider, dataset: Dataset, out: Path, seed: int
) -> dict[str, Any]:
    """Choose on inner folds of all images, fit the chosen members on all of them, write `model.npz`.

    Returns:
        Members with their ingredients, C and weight; their sum of weights is 1.
    """
    from headtohead.data.splits.folds import inner_folds
    from headtohead.heads.ensemble import greedy_counts
    from headtohead.heads.linear_probe import C_GRID, INNER_FOLDS, inner_probabilities
    from headtohead.training.logistic import fit_probe
    from headtohead.training.records import fit_metrics

    labels, k = dataset.labels(), len(dataset.classes)
    parts = inner_folds(labels, dataset.groups(), INNER_FOLDS, seed)
    told, inner = [], []
    for one in tried:
        outs = inner_probabilities(kitchen.features(one), labels, parts, C_GRID, k)
        told.append(min(C_GRID, key=lambda c: fit_metrics(labels, outs[c]).loss or np.inf))
        inner.append(outs[told[-1]])
    counts = greedy_counts(np.stack(inner), labels)
    members: list[dict[str, Any]] = []
    arrays: dict[str, npt.NDArray[Any]] = {}
    for number, (one, c) in enumerate(zip(tried, told, strict=True)):
        if not counts[number]:
            continue
        probe = fit_probe(kitchen.features(one), labels, c)
        weight = float(counts[number] / counts.sum())
        made = {"backbone": one.backbone, "recipe": one.recipe, "look": str(one.view), "large": one.large}
        members.append({"name": one.name, "C": c, "weight": weight, "arrays": f"m{number}", "made": made})
        arrays |= {f"m{number}_{part}": getattr(probe, part) for part in PARTS}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_atomic(out / "model.npz", buffer.getvalue())
    return {"members": members, "classes": list(dataset.classes), "arrays": "model.npz", "tuned": []}


def model_probabilities(
    model: dict[str, Any],
    folder: Path,
    dataset: Dataset,
    *,
    cache: Path,
    seed: int = 0,
    reporter: Reporter = QUIET,
) -> Floats:
    """Ask the model that lies in `folder`.

    Args:
        model: the entry "model" of `best.json`.
        dataset: images with any labels; cache: where their features are kept.

    Returns:
        (n, k) probabilities, the mean of the searched model and of each fine-tuned network.
    """
    from headtohead.studies.search.fine_tuned import tuned_probabilities

    kitchen = FeatureProvider(dataset, cache, seed, reporter)
    parts = [probe_probabilities(model, folder, kitchen)]
    parts += [tuned_probabilities(member, folder, dataset) for member in model["tuned"]]
    return np.asarray(np.mean(parts, axis=0), dtype=np.float64)


def probe_probabilities(model: dict[str, Any], folder: Path, kitchen: Any) -> Floats:
    """Return (n, k) weighted probabilities of the model's probes."""
    from headtohead.training.logistic import FittedProbe

    if not model["members"]:
        raise UsageError(f"The model in {folder} has no members; it was not written by `headtohead best`.")
    total: Floats | None = None
    with np.load(folder / model["arrays"], allow_pickle=False) as stored:
        for member in model["members"]:
            probe = FittedProbe(*(stored[f"{member['arrays']}_{part}"] for part in PARTS))
            rows = member["weight"] * probe.predict_proba(kitchen.features(_ingredients(member["made"])))
            total = rows if total is None else total + rows
    return np.asarray(total, dtype=np.float64)


def _ingredients(made: dict[str, Any]) -> CandidateSpec:
    from headtohead.backbones.features.views import FeatureView

    look = FeatureView() if made["look"] == str(FeatureView()) else FeatureView.parse(f":{made['look']}")
    return CandidateSpec(made["backbone"], made["recipe"], look, made["large"])
