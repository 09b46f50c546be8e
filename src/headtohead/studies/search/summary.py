"""From verdicts and choices to the content of `best.json`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headtohead.core.records import Verdict
from headtohead.data.dataset import Dataset
from headtohead.evaluate.verdict_text import coverage_warnings

if TYPE_CHECKING:
    from headtohead.data.splits.folds import Fold

__all__ = ["SEARCHED", "WITH_TUNED", "content"]

SEARCHED = "searched"
WITH_TUNED = "searched + fine-tuned"
METRICS = ("accuracy", "auroc")


def content(
    verdicts: Mapping[str, Verdict],
    chosen: Mapping[str, int],
    parts: Sequence[Fold],
    dataset: Dataset,
    tried: list[str],
    asides: Collection[str] = (),
) -> dict[str, Any]:
    """Return the content of `best.json` but for the model.

    Args:
        verdicts: by metric, "accuracy" and "auroc", over the same contenders.
        chosen: candidate -> in how many outer cells the search joined it.
        tried: names of the candidates.
        asides: rungs on which the rung below does not stand.
    """
    scores = {(s.contender, s.metric): s for s in verdicts["auroc"].scores}
    names = list(dict.fromkeys(s.contender for s in verdicts["auroc"].scores))
    rungs = []
    for name, below in _standing(names, asides):
        row: dict[str, Any] = {m: scores[name, m].model_dump(mode="json") for m in METRICS}
        gains = {f"gain_in_{m}": _gain(verdicts[m], below, name) for m in METRICS}
        rungs.append({"name": name, "over": below, **row, **gains})
    final = WITH_TUNED if WITH_TUNED in names else SEARCHED  # fixed beforehand, whatever it scored
    accuracy, auroc = scores[final, "accuracy"], scores[final, "auroc"]
    repeats = len({part.repeat for part in parts})
    sentence = (
        f"The model '{final}' is expected to reach accuracy {accuracy} and AUROC {auroc} on new groups like these: "
        f"estimated on outer grouped folds ({repeats} x {len(parts) // repeats} folds, {len(dataset.samples)} "
        f"images in {accuracy.n_groups} groups), every choice made inside."
    )
    return {
        "sentences": [sentence],
        "caveats": coverage_warnings([accuracy, auroc]),
        "ladder": rungs,
        "candidates": tried,
        "chosen": dict(chosen),
        "cells": len(parts),
        "table": [_line(row) for row in rungs],
    }


def _standing(names: Sequence[str], asides: Collection[str]) -> Iterator[tuple[str, str | None]]:
    """Yield each rung and the one that it stands on; a network that is fine-tuned alone stands on none."""
    below: str | None = None
    for name in names:
        alone = name.endswith("@finetune")
        yield name, None if alone else below
        if not alone and name not in asides:
            below = name


def _line(row: Mapping[str, Any]) -> str:
    parts = [f"{row['name']:<34}"]
    for metric, title in zip(METRICS, ("accuracy", "AUROC"), strict=True):
        score, gain = row[metric], row[f"gain_in_{metric}"]
        told = "not defined" if score["value"] is None else f"{score['value']:.3f}"
        step = "" if gain is None else "{} [{}, {}]".format(*map(_signed, gain.values()))
        parts.append(f"{title} {told} {step:<24}")
    return "  ".join(parts).rstrip()


def _signed(value: float) -> str:
    return f"{round(value, 3) + 0.0:+.3f}"  # no "-0.000"


def _gain(verdict: Verdict, before: str | None, name: str) -> dict[str, Any] | None:
    """Return name - before with its interval, whichever way round the comparison was made."""
    for one in verdict.comparisons:
        if one.difference is None or one.low is None or one.high is None:
            continue
        if (one.a, one.b) == (name, before):
            return {"difference": one.difference, "low": one.low, "high": one.high}
        if (one.b, one.a) == (name, before):
            return {"difference": -one.difference, "low": -one.high, "high": -one.low}
    return None
