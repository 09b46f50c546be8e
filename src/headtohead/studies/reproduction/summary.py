"""The effect of each correction, with intervals over groups, as `reproduce.json`, verdict and predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.config import ReproductionConfig
from headtohead.core.records import Comparison, Score, Verdict, VerdictWord
from headtohead.evaluate.published_claim import claim
from headtohead.stats.intervals.resampling import Resamples, make_resamples
from headtohead.stats.metrics.weight_blocks import weighted_sums
from headtohead.studies.reproduction.protocol import (
    ARMS,
    CORRECTIONS,
    PUBLISHED,
    STUDY,
    Arm,
    NetworkPair,
    shortened,
)
from headtohead.studies.reproduction.runner import ScoredImages
from headtohead.training.records import Floats

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.data.dataset import Dataset

__all__ = ["predictions_frame", "published_scores", "reproduction_verdict", "summarise"]

LEVEL = 0.95
RULE = (
    "One network is better where the 95 % interval of the paired difference excludes 0; refused where copies are in "
    "training, the epoch is chosen on the scored images, or the networks are scored on different images."
)
METHOD = "percentile cluster bootstrap over groups, images of all draws of a state pooled"


def summarise(
    dataset: Dataset,
    networks: NetworkPair,
    scored: Mapping[tuple[str, Arm], ScoredImages],
    leaks: Mapping[tuple[str, Arm], float],
    config: ReproductionConfig,
) -> dict[str, Any]:
    """Return the content of `reproduce.json`.

    Args:
        dataset: the grouped samples.
        networks: the CNN and the transformer.
        scored: (state's name, arm) -> the predictions of its scored images.
        leaks: (state's name, arm) -> share of scored images that have a copy in training.
        config: how much was computed.

    Every accuracy, difference and effect has a 95 % interval by the cluster bootstrap over groups;
    the same resamples serve all states, so effects are paired where the images are.
    """
    names, group_of = np.unique(dataset.groups().astype(str), return_inverse=True)
    resamples = make_resamples(len(names), config.n_boot, config.seed)
    accuracies = {key: _resampled(images, group_of, resamples) for key, images in scored.items()}
    steps: list[dict[str, Any]] = []
    before: dict[str, Floats] | None = None
    for step in CORRECTIONS:
        arms: dict[str, Floats] = {arm: accuracies[step.name, arm] for arm in ARMS}
        now: dict[str, Floats] = {**arms, "difference": arms["vit"] - arms["cnn"]}
        state: dict[str, Any] = {"name": step.name, "words": step.words}
        for arm in ARMS:
            state[arm] = _interval(arms[arm], resamples) | _counts(scored[step.name, arm], group_of)
            state[arm]["copies_in_training"] = leaks[step.name, arm]
        state["difference"] = _interval(now["difference"], resamples) | {"method": METHOD}
        state["effect"] = None if before is None else {
            what: _interval(now[what] - before[what], resamples) | {"method": METHOD} for what in now
        }  # fmt: skip
        steps.append(state)
        before = now
    content: dict[str, Any] = {
        "title": f"The published study taken apart: {networks.title}",
        "cited": STUDY,
        "networks": {"cnn": networks.cnn.name, "vit": networks.vit.name, "stand_in": networks.stand_in},
        "shortened": shortened(config),
        "published": published_scores(),
        "images": len(dataset.samples),
        "groups": len(names),
        "level": LEVEL,
        "steps": steps,
    }
    content["sentences"] = _closing_sentences(content)
    return content


def predictions_frame(
    dataset: Dataset, networks: NetworkPair, scored: Mapping[tuple[str, Arm], ScoredImages]
) -> pd.DataFrame:
    """Return one line per state, network, draw and scored image, in the columns of `predictions.parquet`.

    A contender is a network in a state, "as published: dinov2-small"; a repeat is a draw.
    """
    import pandas as pd

    groups, labels = dataset.groups().astype(str), dataset.labels()
    frames = []
    for (state, arm), images in scored.items():
        columns: dict[str, Any] = {
            "sample": [dataset.samples[i].id for i in images.samples],
            "group": groups[images.samples],
            "repeat": images.draws,
            "fold": 0,  # of grouped folds each is a draw
            "contender": _contender(state, networks, arm),
            "label": [dataset.classes[labels[i]] for i in images.samples],
        }
        columns |= {f"prob_{label}": images.probabilities[:, j] for j, label in enumerate(dataset.classes)}
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def reproduction_verdict(
    content: Mapping[str, Any], networks: NetworkPair, positive: str | None = None
) -> Verdict:
    """Return the accuracies and differences of all states as a verdict.

    A difference is refused where the state keeps a flaw that forbids one: copies in training, an epoch
    chosen on the scored images, or networks scored on different images.

    Args:
        content: of `reproduce.json`.
        networks: the CNN and the transformer.
        positive: the positive one of two classes.
    """
    steps = {step.name: step for step in CORRECTIONS}
    scores, comparisons = [], []
    for state in content["steps"]:
        name = state["name"]
        for arm in ARMS:
            numbers = {key: state[arm][key] for key in ("value", "low", "high", "n_samples", "n_groups")}
            contender = _contender(name, networks, arm)
            score = Score(contender=contender, metric="accuracy", level=LEVEL, method=METHOD, **numbers)
            scores.append(score)
        flawed = not steps[name].grouped or steps[name].peeks or not steps[name].shared
        comparisons.append(_comparison(state, networks, refused=flawed))
    return Verdict(
        sentence=content["sentences"][0],
        metric="accuracy",
        positive=positive,
        scores=tuple(scores),
        comparisons=tuple(comparisons),
        rule=RULE,
        caveats=tuple(content["shortened"]),
    )


def _comparison(state: Mapping[str, Any], networks: NetworkPair, *, refused: bool) -> Comparison:
    """Return the difference transformer - CNN in one state."""
    vit, cnn = (_contender(state["name"], networks, arm) for arm in ("vit", "cnn"))
    gap = state["difference"]
    clear = not refused and not gap["low"] <= 0 <= gap["high"]
    winner = (vit if gap["value"] > 0 else cnn) if clear else None
    outcome: VerdictWord = "refused" if refused else "better" if clear else "no_evidence"
    reason = {
        "refused": "no verdict, since this state of the protocol does not allow one",
        "better": f"{winner} is better",
        "no_evidence": "no evidence of a difference",
    }[outcome]
    return Comparison(
        a=vit,
        b=cnn,
        metric="accuracy",
        difference=gap["value"],
        low=gap["low"],
        high=gap["high"],
        verdict=outcome,
        winner=winner,
        sentence=f"{vit} - {cnn}: {_words(gap, signed=True)}, {reason}.",
        n_samples=min(state[arm]["n_samples"] for arm in ARMS),
        n_groups=min(state[arm]["n_groups"] for arm in ARMS),
        method=METHOD,
        level=LEVEL,
    )


def _contender(state: str, networks: NetworkPair, arm: Arm) -> str:
    return f"{state}: {networks.cnn.name if arm == 'cnn' else networks.vit.name}"


def published_scores() -> dict[str, Any]:
    """Return the published counts with their own intervals, and the test between them."""
    (_, right, of), (_, other_right, other_of) = PUBLISHED["vit"], PUBLISHED["cnn"]
    claimed = claim(right, of, versus=(other_right, other_of)).to_json()
    scores: dict[str, Any] = {
        arm: {"name": name, "correct": correct, "total": total, **claimed["a" if arm == "vit" else "b"]}
        for arm, (name, correct, total) in PUBLISHED.items()
    }
    return scores | {name: claimed[name] for name in ("p_value", "test", "sentence")}


def _closing_sentences(content: Mapping[str, Any]) -> list[str]:
    """Return two sentences: what the study's data support, and what they do not."""
    last, first = content["steps"][-1], content["steps"][0]
    cnn, vit = content["networks"]["cnn"], content["networks"]["vit"]
    gap = last["difference"]
    if gap["low"] <= 0 <= gap["high"]:
        verdict = "so there is no evidence of a difference between them"
    else:
        verdict = f"so {vit if gap['value'] > 0 else cnn} is the better of the two here"
    supports = (
        f"What the images support: with copies kept together, nothing chosen on what is scored and each of the "
        f"{content['images']} images scored, {cnn} is right in {_words(last['cnn'])} and {vit} in "
        f"{_words(last['vit'])} of them, a difference of {_words(gap, signed=True)}, {verdict}."
    )
    paper = content["published"]
    lost = {arm: last[arm]["value"] - first[arm]["value"] for arm in ARMS}
    against = (
        f"What they do not support: that a transformer beats a CNN because 0.97 is more than 0.86; those are "
        f"{paper['vit']['correct']} of {paper['vit']['total']} {_range(paper['vit'])} and {paper['cnn']['correct']} of "
        f"{paper['cnn']['total']} {_range(paper['cnn'])} on different images ({paper['test']}: p = "
        f"{paper['p_value']:.2f}), one network frozen and the other fine-tuned, and repeated here the protocol's "
        f"flaws and their correction move the CNN by {100 * lost['cnn']:+.0f} and the transformer by "
        f"{100 * lost['vit']:+.0f} points."
    )
    return [supports, against]


def _resampled(images: ScoredImages, group_of: npt.NDArray[np.int64], resamples: Resamples) -> Floats:
    """Return the accuracy in the data and in every resample of groups; NaN in one without a scored image."""
    where = group_of[images.samples]
    right = images.correct.astype(np.float64)
    n = len(resamples.weights)
    hits = np.bincount(where, weights=right, minlength=n)
    counts = np.bincount(where, minlength=n).astype(np.float64)
    sums = weighted_sums(np.stack([hits, counts], axis=1), resamples.weights)
    found = np.full(sums.shape[1], np.nan)
    np.divide(sums[0], sums[1], out=found, where=sums[1] > 0)
    return found


def _interval(values: Floats, resamples: Resamples) -> dict[str, float]:
    tail = (1 - LEVEL) / 2
    drawn = resamples.bootstrap(values)
    # Where few images are scored, some resamples of groups hold none of them: an accuracy they do not have.
    low, high = np.quantile(drawn[~np.isnan(drawn)], [tail, 1 - tail])
    return {"value": resamples.value(values), "low": float(low), "high": float(high)}


def _counts(images: ScoredImages, group_of: npt.NDArray[np.int64]) -> dict[str, Any]:
    samples, draws = np.unique(images.samples), np.unique(images.draws)
    by_draw = [float(images.correct[images.draws == draw].mean()) for draw in draws]
    return {
        "n_samples": len(samples),
        "n_groups": len(np.unique(group_of[samples])),
        "n_draws": len(draws),
        "lowest_draw": min(by_draw),
        "highest_draw": max(by_draw),
        "method": METHOD,
    }


def _words(part: Mapping[str, float], *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    return f"{part['value']:{sign}.3f} [{part['low']:{sign}.3f}, {part['high']:{sign}.3f}]"


def _range(part: Mapping[str, float]) -> str:
    return f"[{part['low']:.2f}, {part['high']:.2f}]"
