"""The model that `best` leaves: what the estimate describes, fitted on all images, and its predictions."""

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
from headtohead.training.records import Floats

__all__ = ["model_probabilities", "probe_probabilities", "searched_model"]

PROBE_ARRAYS = ("mean", "scale", "weights", "bias")  # the fields of a fitted probe, in its order


def searched_model(
    candidates: Sequence[CandidateSpec], provider: FeatureProvider, dataset: Dataset, out: Path, seed: int
) -> dict[str, Any]:
    """Choose on inner folds of all images, fit the chosen members on all of them, write `model.npz`.

    Args:
        candidates: what is searched over.
        provider: makes their features.
        dataset: all images.
        out: the run folder.
        seed: of the inner folds.

    Returns:
        Members with what they are made from, C and weight; the weights sum to 1.
    """
    from headtohead.data.splits.folds import inner_folds
    from headtohead.heads.ensemble import greedy_counts
    from headtohead.heads.linear_probe import C_GRID, INNER_FOLDS, inner_probabilities
    from headtohead.training.logistic import fit_probe
    from headtohead.training.records import fit_metrics, loss_order

    labels, k = dataset.labels(), len(dataset.classes)
    folds = inner_folds(labels, dataset.groups(), INNER_FOLDS, seed)
    chosen_c, inner = [], []
    for candidate in candidates:
        outs = inner_probabilities(provider.features(candidate), labels, folds, C_GRID, k)
        chosen_c.append(min(C_GRID, key=lambda c: loss_order(fit_metrics(labels, outs[c]).loss)))
        inner.append(outs[chosen_c[-1]])
    counts = greedy_counts(np.stack(inner), labels)
    members: list[dict[str, Any]] = []
    arrays: dict[str, npt.NDArray[Any]] = {}
    for number, (candidate, c) in enumerate(zip(candidates, chosen_c, strict=True)):
        if not counts[number]:
            continue
        probe = fit_probe(provider.features(candidate), labels, c)
        weight = float(counts[number] / counts.sum())
        made = _ingredients(candidate)
        members.append(
            {"name": candidate.name, "C": c, "weight": weight, "arrays": f"m{number}", "made": made}
        )
        arrays |= {f"m{number}_{field}": getattr(probe, field) for field in PROBE_ARRAYS}
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
    """Predict with the model that lies in `folder`.

    Args:
        model: the entry "model" of `best.json`.
        folder: the run folder.
        dataset: images with any labels.
        cache: where their features are kept.
        seed: of random weights.
        reporter: hears how far the extraction is.

    Returns:
        (n, k) probabilities, the mean of the searched model and of each fine-tuned network.
    """
    from headtohead.studies.search.fine_tuned import tuned_probabilities

    provider = FeatureProvider(dataset, cache, seed, reporter)
    members = [probe_probabilities(model, folder, provider)]
    members += [tuned_probabilities(member, folder, dataset) for member in model["tuned"]]
    return np.asarray(np.mean(members, axis=0), dtype=np.float64)


def probe_probabilities(model: dict[str, Any], folder: Path, provider: FeatureProvider) -> Floats:
    """Return (n, k) weighted probabilities of the model's probes.

    Raises:
        UsageError: the model has no members.
    """
    from headtohead.training.logistic import FittedProbe

    if not model["members"]:
        raise UsageError(f"The model in {folder} has no members; it was not written by `headtohead best`.")
    total: Floats | None = None
    with np.load(folder / model["arrays"], allow_pickle=False) as stored:
        for member in model["members"]:
            probe = FittedProbe(*(stored[f"{member['arrays']}_{field}"] for field in PROBE_ARRAYS))
            rows = member["weight"] * probe.predict_proba(provider.features(_candidate(member["made"])))
            total = rows if total is None else total + rows
    return np.asarray(total, dtype=np.float64)


def _ingredients(candidate: CandidateSpec) -> dict[str, Any]:
    """Return what a member's features are made from, JSON-able."""
    return {
        "backbone": candidate.backbone,
        "recipe": candidate.recipe,
        "look": str(candidate.view),
        "large": candidate.large,
    }


def _candidate(made: dict[str, Any]) -> CandidateSpec:
    """Return the candidate that `_ingredients` described."""
    from headtohead.backbones.features.views import FeatureView

    plain = made["look"] == str(FeatureView())
    view = FeatureView() if plain else FeatureView.parse(f":{made['look']}")
    return CandidateSpec(made["backbone"], made["recipe"], view, made["large"])
