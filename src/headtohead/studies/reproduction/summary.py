"""From scored images to what each correction did, with intervals over groups, and two sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.evaluate.published_claim import claim
from headtohead.stats.intervals.resampling import Resamples, make_resamples
from headtohead.studies.reproduction.protocol import (
    ARMS,
    CORRECTIONS,
    PUBLISHED,
    Arm,
    NetworkPair,
    ReproductionPlan,
)

if TYPE_CHECKING:
    from headtohead.data.dataset import Dataset

__all__ = ["summarise"]

Floats = npt.NDArray[np.float64]
Lines = Sequence[Mapping[str, Any]]
LEVEL = 0.95
METHOD = "percentile cluster bootstrap over groups, images of all draws of a state pooled"


def summarise(
    dataset: Dataset,
    networks: NetworkPair,
    lines: Mapping[tuple[str, Arm], Lines],
    leaks: Mapping[tuple[str, Arm], float],
    plan: ReproductionPlan,
) -> dict[str, Any]:
    """Return the content of `reproduce.json`.

    Args:
        lines: (state's name, side) -> its lines: sample index, draw, correct.
        leaks: (state's name, side) -> share of scored images that have a copy in training.

    Every accuracy, difference and effect has a 95 % interval by the cluster bootstrap over groups;
    the same resamples serve all states, so effects are paired where the images are.
    """
    names, group_of = np.unique(dataset.groups().astype(str), return_inverse=True)
    resamples = make_resamples(len(names), plan.n_boot, plan.seed)
    curves = {key: _resampled(found, group_of, resamples) for key, found in lines.items()}
    steps: list[dict[str, Any]] = []
    before: dict[str, Floats] | None = None
    for step in CORRECTIONS:
        sides: dict[str, Floats] = {side: curves[step.name, side] for side in ARMS}
        now: dict[str, Floats] = {**sides, "difference": sides["vit"] - sides["cnn"]}
        told: dict[str, Any] = {"name": step.name, "words": step.words}
        for side in ARMS:
            told[side] = _interval(sides[side], resamples) | _counts(lines[step.name, side], group_of)
            told[side]["copies_in_training"] = leaks[step.name, side]
        told["difference"] = _interval(now["difference"], resamples) | {"method": METHOD}
        told["effect"] = None if before is None else {
            what: _interval(now[what] - before[what], resamples) | {"method": METHOD} for what in now
        }  # fmt: skip
        steps.append(told)
        before = now
    content: dict[str, Any] = {
        "title": f"The published study taken apart: {networks.title}",
        "networks": {"cnn": networks.cnn.name, "vit": networks.vit.name, "stand_in": networks.stand_in},
        "shortened": plan.shortened(),
        "published": published(),
        "images": len(dataset.samples),
        "groups": len(names),
        "level": LEVEL,
        "steps": steps,
    }
    content["sentences"] = sentences(content)
    return content


def published() -> dict[str, Any]:
    """Return the published counts with their own intervals and what they say of each other."""
    (_, right, of), (_, other_right, other_of) = PUBLISHED["vit"], PUBLISHED["cnn"]
    found = claim(right, of, versus=(other_right, other_of)).to_json()
    told: dict[str, Any] = {
        side: {"name": name, "correct": correct, "total": total, **found["a" if side == "vit" else "b"]}
        for side, (name, correct, total) in PUBLISHED.items()
    }
    return told | {"p_value": found["p_value"], "test": found["test"], "sentence": found["sentence"]}


def sentences(told: Mapping[str, Any]) -> list[str]:
    """Return the two closing sentences: what the study's data support, and what they do not."""
    last, first = told["steps"][-1], told["steps"][0]
    cnn, vit = told["networks"]["cnn"], told["networks"]["vit"]
    gap = last["difference"]
    if gap["low"] <= 0 <= gap["high"]:
        verdict = "so there is no evidence of a difference between them"
    else:
        verdict = f"so {vit if gap['value'] > 0 else cnn} is the better of the two here"
    supports = (
        f"What the images support: with copies kept together, nothing chosen on what is scored and each of the "
        f"{told['images']} images scored, {cnn} is right in {_words(last['cnn'])} and {vit} in "
        f"{_words(last['vit'])} of them, a difference of {_words(gap, signed=True)}, {verdict}."
    )
    paper = told["published"]
    lost = {side: last[side]["value"] - first[side]["value"] for side in ARMS}
    against = (
        f"What they do not support: that a transformer beats a CNN because 0.97 is more than 0.86; those are "
        f"{paper['vit']['correct']} of {paper['vit']['total']} {_range(paper['vit'])} and {paper['cnn']['correct']} of "
        f"{paper['cnn']['total']} {_range(paper['cnn'])} on different images ({paper['test']}: p = "
        f"{paper['p_value']:.2f}), one network frozen and the other fine-tuned, and repeated here the protocol's flaws "
        f"and their mending move the CNN by {100 * lost['cnn']:+.0f} and the transformer by {100 * lost['vit']:+.0f} "
        "points."
    )
    return [supports, against]


def _resampled(lines: Lines, group_of: npt.NDArray[np.int64], resamples: Resamples) -> Floats:
    """Return the accuracy in the data and in every resample of groups."""
    where = group_of[[line["sample"] for line in lines]]
    right = np.asarray([line["correct"] for line in lines], dtype=np.float64)
    n = len(resamples.weights)
    hits = np.bincount(where, weights=right, minlength=n)
    counts = np.bincount(where, minlength=n).astype(np.float64)
    return np.asarray((hits @ resamples.weights) / (counts @ resamples.weights), dtype=np.float64)


def _interval(values: Floats, resamples: Resamples) -> dict[str, float]:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(resamples.bootstrap(values), [tail, 1 - tail])
    return {"value": resamples.value(values), "low": float(low), "high": float(high)}


def _counts(lines: Lines, group_of: npt.NDArray[np.int64]) -> dict[str, Any]:
    samples = np.unique([line["sample"] for line in lines])
    draws: dict[int, list[bool]] = {}
    for line in lines:
        draws.setdefault(line["draw"], []).append(line["correct"])
    single = [float(np.mean(found)) for found in draws.values()]
    return {
        "n_samples": len(samples),
        "n_groups": len(np.unique(group_of[samples])),
        "n_draws": len(draws),
        "lowest_draw": min(single),
        "highest_draw": max(single),
        "method": METHOD,
    }


def _words(part: Mapping[str, float], *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    return f"{part['value']:{sign}.3f} [{part['low']:{sign}.3f}, {part['high']:{sign}.3f}]"


def _range(part: Mapping[str, float]) -> str:
    return f"[{part['low']:.2f}, {part['high']:.2f}]"
