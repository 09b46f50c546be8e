"""From verdict and choices to the content of `best.json`, and the model fitted on all pictures."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.files import write_whole
from headtohead.core.records import Verdict
from headtohead.data.dataset import Dataset
from headtohead.searching.ingredients import Ingredients, Kitchen

if TYPE_CHECKING:
    from headtohead.data.folds import Fold

__all__ = ["SEARCHED", "content", "final_model"]

SEARCHED = "searched"


def content(
    verdict: Verdict,
    chosen: Mapping[str, int],
    parts: Sequence[Fold],
    dataset: Dataset,
    tried: list[str],
    seconds: float,
) -> dict[str, Any]:
    """Return the content of `best.json` but for the model.

    Args:
        chosen: candidate -> in how many outer cells the search joined it.
        tried: names of the candidates.
    """
    """Return the content of `best.json` but for the model.

    Args:
        chosen: candidate -> in how many outer cells the search joined it.
        tried: names of the candidates.
    """
    scores = {(s.contender, s.metric): s for s in verdict.scores}
    names = list(dict.fromkeys(s.contender for s in verdict.scores))
    gains = {(c.a, c.b): c for c in verdict.comparisons if c.difference is not None}
    rungs = []
    for before, name in zip([None, *names], names, strict=False):
        row: dict[str, Any] = {m: scores[name, m].model_dump(mode="json") for m in ("accuracy", "auroc")}
        rungs.append({"name": name, **row, "gain_in_auroc": _gain(gains, before, name)})
    final = names[-1]  # fixed beforehand: the last rung, whatever it scored
    accuracy, auroc = scores[final, "accuracy"], scores[final, "auroc"]
    repeats = len({part.repeat for part in parts})
    sentence = (
        f"The model '{final}' is expected to reach accuracy {accuracy} and AUROC {auroc} on new groups like these: "
        f"estimated on outer grouped folds ({repeats} x {len(parts) // repeats} folds, {len(dataset.samples)} "
        f"pictures in {accuracy.n_groups} groups), every choice made inside."
    )
    return {
        "sentences": [sentence],
        "ladder": rungs,
        "candidates": tried,
        "chosen": dict(chosen),
        "cells": len(parts),
        "minutes": round(seconds / 60, 1),
        "table": [f"{r['name']:<30} accuracy {scores[r['name'], 'accuracy']}   AUROC {scores[r['name'], 'auroc']}"
                  for r in rungs],
    }  # fmt: skip


def _gain(gains: Mapping[tuple[str, str], Any], before: str | None, name: str) -> dict[str, Any] | None:
    """Return name - before, whichever way round the comparison was made."""
    if before is None:
        return None
    if (name, before) in gains:
        one = gains[name, before]
        return {"difference": one.difference, "low": one.low, "high": one.high}
    if (before, name) in gains:
        one = gains[before, name]
        return {"difference": -one.difference, "low": -one.high, "high": -one.low}
    return None


def final_model(
    tried: Sequence[Ingredients], kitchen: Kitchen, dataset: Dataset, out: Path, seed: int
) -> dict[str, Any]:
    """Choose on inner folds of all pictures and fit the chosen members on all of them."""
    from headtohead.data.folds import inner_folds
    from headtohead.heads.ensemble import greedy_counts
    from headtohead.heads.probe import C_GRID, INNER_FOLDS, fit_probe, inner_probabilities

    labels = dataset.labels()
    parts = inner_folds(labels, dataset.groups(), INNER_FOLDS, seed)
    k = len(dataset.classes)
    told: list[float] = []
    inner: list[npt.NDArray[np.float64]] = []
    for one in tried:
        rows = kitchen.rows(one)
        outs = inner_probabilities(rows, labels, parts, C_GRID, k)
        best = min(
            C_GRID, key=lambda c: -np.log(np.clip(outs[c][np.arange(len(labels)), labels], 1e-15, 1)).mean()
        )
        told.append(best)
        inner.append(outs[best])
    counts = greedy_counts(np.stack(inner), labels)
    members = []
    arrays: dict[str, npt.NDArray[Any]] = {}
    for number, (one, c, count) in enumerate(zip(tried, told, counts, strict=True)):
        if count:
            probe = fit_probe(kitchen.rows(one), labels, c)
            members.append(
                {"name": one.name, "C": c, "weight": float(count / counts.sum()), "arrays": f"m{number}"}
            )
            for part in ("mean", "scale", "weights", "bias"):
                arrays[f"m{number}_{part}"] = getattr(probe, part)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_whole(out / "model.npz", buffer.getvalue())
    return {"members": members, "classes": list(dataset.classes), "arrays": "model.npz"}
