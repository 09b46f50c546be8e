"""The model card: what the model is, what it was measured to do, and what it must not be used for."""

from __future__ import annotations

from collections.abc import Sequence

from headtohead.deploy.bundle.records import (
    BundleCalibration,
    BundleConfig,
    BundleEstimate,
    GuardReference,
    PreprocessorConfig,
)
from headtohead.deploy.prediction import RESEARCH_USE
from headtohead.stats.metrics.lookup import get_metric

__all__ = ["model_card"]

PURPOSE = (
    "Made to compare and study pretrained networks on the data set that it was trained on. Not intended for diagnosis, "
    "prognosis, monitoring or decisions on treatment."
)


def model_card(
    config: BundleConfig,
    preprocessing: PreprocessorConfig,
    calibration: BundleCalibration,
    reference: GuardReference,
    estimate: BundleEstimate,
) -> str:
    """Return the README.md of a bundle."""
    parts = [
        f"# {config.name}\n\n**{RESEARCH_USE}** {PURPOSE}\n",
        _refusal(config),
        _about(config, preprocessing, reference),
        _scores(estimate, config.classes),
        _answers(config, calibration),
        _guard(reference),
        _caveats(estimate),
        _backbones(config),
        "## Use\n\n```\nheadtohead predict MODEL IMAGES --out predictions.csv\n"
        "headtohead evaluate MODEL DATA --out external\n```\n\nEach file is checked against SHA256SUMS when the "
        "model is loaded; a changed byte is refused.\n",
    ]
    return "\n".join(part for part in parts if part)


def _refusal(config: BundleConfig) -> str:
    if not config.refused:
        return ""
    return (
        "## The verdict was refused\n\nWhoever trained this model accepted that the run refused a verdict on it: "
        f"{config.refused}\n"
    )


def _about(config: BundleConfig, preprocessing: PreprocessorConfig, reference: GuardReference) -> str:
    positive = "" if config.positive is None else f" (positive: {config.positive})"
    inputs = ", ".join(f"{spec.input_size} x {spec.input_size}" for spec in preprocessing.inputs)
    recipes = "; ".join(str(spec.recipe()) for spec in preprocessing.recipes)
    return (
        f"## Model\n\n- contender: `{config.contender}`\n- classes: {', '.join(config.classes)}{positive}\n"
        f"- trained on {len(reference.sha256)} images\n- input: {inputs} pixels\n- preprocessing: {recipes}\n"
    )


def _scores(estimate: BundleEstimate, classes: Sequence[str]) -> str:
    lines = "\n".join(
        f"| {get_metric(s.metric, classes).title} | {'not defined' if s.value is None else f'{s.value:.3f}'} "
        f"| {_interval(s.low, s.high)} |"
        for s in estimate.scores
    )
    return (
        f"## Cross-validated scores\n\n{estimate.n_samples} images in {estimate.n_groups} groups; "
        "no group was in training and test at once.\n\n"
        f"| score | value | interval |\n|---|---|---|\n{lines}\n\n{estimate.sentence}\n"
    )


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _answers(config: BundleConfig, calibration: BundleCalibration) -> str:
    text = (
        f"## Answers\n\nProbabilities are calibrated {_method(calibration)}, fitted on "
        f"{calibration.learnt_from} ({calibration.n_lines} lines, {calibration.n_groups} groups).\n"
    )
    if calibration.quantiles is None:
        text += f"\nNo conformal sets: {calibration.refused}\n"
    else:
        text += (
            f"\nA conformal set leaves the true class out for about {calibration.alpha:.0%} of new images like the "
            "training images; the model abstains where the set does not hold exactly one class.\n"
        )
    if config.thresholds:
        rows = "\n".join(f"| {t.name} | {t.value:.4f} | {t.chosen_for} |" for t in config.thresholds)
        text += f"\n| threshold | value | chosen for |\n|---|---|---|\n{rows}\n"
    return text


def _method(calibration: BundleCalibration) -> str:
    if calibration.method == "venn-abers":
        return "by an inductive Venn-Abers predictor (Vovk, Petej and Fedorova 2015)"
    return f"with the temperature {calibration.temperature:.3f}"


def _guard(reference: GuardReference) -> str:
    rows = "\n".join(
        f"- {name}: flags {share:.1%} of the training images"
        for name, share in reference.false_alarms.items()
    )
    off = "\n".join(f"- {name}: off ({why})" for name, why in reference.off.items())
    return f"## Guard\n\n{rows}\n{off}\n"


def _caveats(estimate: BundleEstimate) -> str:
    lines = [*estimate.caveats, *estimate.fidelity, *estimate.audit]
    return "## Caveats\n\n" + "\n".join(f"- {line}" for line in lines) + "\n"


def _backbones(config: BundleConfig) -> str:
    rows = [
        f"| {record.name} | {facts['source']} | {facts['licence']} | `{facts['sha256'][:16]}` |"
        for body in config.bodies
        for record, facts in zip(body.records, body.weights, strict=True)
    ]
    # each model of snapshots(…) or folds(…) has a body of its own with the same record
    table = "\n".join(dict.fromkeys(rows))
    return f"## Pretrained weights\n\n| network | from | licence | sha256 |\n|---|---|---|---|\n{table}\n"
