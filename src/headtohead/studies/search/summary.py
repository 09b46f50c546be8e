"""The content of `best.json`: the estimate, the ablation table, and how often each candidate was chosen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headtohead.core.records import Score, Verdict
from headtohead.data.dataset import Dataset
from headtohead.evaluate.reversed_scores import reversed_caveat
from headtohead.evaluate.wording.caveats import coverage_warnings

if TYPE_CHECKING:
    from headtohead.data.splits.folds import Fold

__all__ = ["SEARCHED", "WITH_TUNED", "search_summary"]

SEARCHED = "searched"
WITH_TUNED = "searched + fine-tuned"
METRICS = ("accuracy", "auroc")
FILE_FACTS = "file-facts"


def search_summary(
    verdicts: Mapping[str, Verdict],
    chosen: Mapping[str, int],
    folds: Sequence[Fold],
    dataset: Dataset,
    candidates: list[str],
    side_branches: Collection[str] = (),
) -> dict[str, Any]:
    """Return the content of `best.json` but for the model.

    Args:
        verdicts: by metric, "accuracy" and "auroc"; the rows of the ablation table are the contenders of the
            verdict on accuracy.
        chosen: candidate -> in how many outer cells the search combined it.
        folds: the finished outer folds.
        dataset: the grouped samples.
        candidates: names of what was searched over.
        side_branches: steps on which the next one does not build.
    """
    scores = {(s.contender, s.metric): s for s in verdicts["auroc"].scores}
    # The verdict on accuracy is of the steps alone, that on AUROC of the baselines too.
    names = list(dict.fromkeys(s.contender for s in verdicts["accuracy"].scores))
    rows = []
    for name, base in _with_base(names, side_branches):
        row: dict[str, Any] = {m: scores[name, m].model_dump(mode="json") for m in METRICS}
        gains = {f"gain_in_{m}": _gain(verdicts[m], base, name) for m in METRICS}
        rows.append({"name": name, "over": base, **row, **gains})
    final = WITH_TUNED if WITH_TUNED in names else SEARCHED  # fixed beforehand, whatever it scored
    accuracy, auroc = scores[final, "accuracy"], scores[final, "auroc"]
    repeats = len({fold.repeat for fold in folds})
    of_class = "" if dataset.positive is None else f" (positive class '{dataset.positive}')"
    sentence = (
        f"The model '{final}' is expected to reach accuracy {accuracy} and AUROC {auroc}{of_class} on new groups like "
        f"these: estimated on outer grouped folds ({repeats} × {len(folds) // repeats} folds, {len(dataset.samples)} "
        f"images in {accuracy.n_groups} groups), every choice made inside their training parts."
    )
    floor = _floor(verdicts["auroc"], final, auroc)
    return {
        "sentences": [*([floor["refusal"]] if floor["refusal"] else []), sentence, *floor["sentences"]],
        "caveats": [*reversed_caveat([auroc], dataset.positive), *coverage_warnings([accuracy, auroc])],
        "positive": dataset.positive,
        "floor": floor,
        "ladder": rows,
        "candidates": candidates,
        "chosen": dict(chosen),
        "cells": len(folds),
        "table": [*(_line(row) for row in rows), *floor["table"]],
    }


def _floor(verdict: Verdict, final: str, auroc: Score) -> dict[str, Any]:
    """Return what file facts reach, how the final model stands to them, and the refusal of the decision rule.

    Args:
        verdict: on AUROC, with the baselines. final: the model's name. auroc: its score.
    """
    refused = [c.details.refusal for c in verdict.comparisons if c.verdict == "refused" and c.details.refusal]
    floor = {s.metric: s for s in verdict.scores if s.contender == FILE_FACTS and s.metric in METRICS}
    out: dict[str, Any] = {"refusal": "", "sentences": [], "table": [], "scores": {}}
    if refused:
        out["refusal"] = f"Refused: {refused[0]}, so what the model reaches cannot be put down to the images."
    if "auroc" not in floor or floor["auroc"].value is None:
        return out
    pair = next((c for c in verdict.comparisons if {c.a, c.b} == {final, FILE_FACTS}), None)
    beats = pair is not None and pair.winner == final
    out["sentences"] = [
        f"A classifier that sees only the file's facts (size, type), never the image, reaches AUROC {floor['auroc']}; "
        f"the model, with {'no value' if auroc.value is None else f'{auroc.value:.3f}'}, "
        f"{'beats it' if beats else 'is not shown to beat it'}."
    ]
    out["scores"] = {metric: score.model_dump(mode="json") for metric, score in floor.items()}
    out["table"] = [_line({"name": FILE_FACTS, **out["scores"], **{f"gain_in_{m}": None for m in METRICS}})]
    return out


def _with_base(names: Sequence[str], side_branches: Collection[str]) -> Iterator[tuple[str, str | None]]:
    """Yield each step and the one that it builds on; a network that is fine-tuned alone builds on none."""
    base: str | None = None
    for name in names:
        alone = name.endswith("@finetune")
        yield name, None if alone else base
        if not alone and name not in side_branches:
            base = name


def _line(row: Mapping[str, Any]) -> str:
    parts = [f"{row['name']:<34}"]
    for metric, title in zip(METRICS, ("accuracy", "AUROC"), strict=True):
        score, gain = row[metric], row[f"gain_in_{metric}"]
        value = "not defined" if score["value"] is None else f"{score['value']:.3f}"
        step = "" if gain is None else "{} [{}, {}]".format(*map(_signed, gain.values()))
        parts.append(f"{title} {value} {step:<24}")
    return "  ".join(parts).rstrip()


def _signed(value: float) -> str:
    return f"{round(value, 3) + 0.0:+.3f}"  # no "-0.000"


def _gain(verdict: Verdict, before: str | None, name: str) -> dict[str, Any] | None:
    """Return the difference name - before with its interval, whichever way round the pair was compared."""
    for pair in verdict.comparisons:
        if pair.difference is None or pair.low is None or pair.high is None:
            continue
        if (pair.a, pair.b) == (name, before):
            return {"difference": pair.difference, "low": pair.low, "high": pair.high}
        if (pair.b, pair.a) == (name, before):
            return {"difference": -pair.difference, "low": -pair.high, "high": -pair.low}
    return None
