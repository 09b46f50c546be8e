"""What the page shows, gathered from the files of a run folder; no number is computed anew here."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headtohead._version import __version__
from headtohead.core.records import Verdict
from headtohead.core.run_folder import RunFolder
from headtohead.report.figures import plots as figures
from headtohead.report.figures.rank_diagram import NOTE, critical_difference
from headtohead.report.figures.svg import colour
from headtohead.report.tables.comparison import (
    adjusted_tests,
    learning_rows,
    limits,
    provenance_rows,
    weights_row,
)
from headtohead.report.tables.decision_curve import decision
from headtohead.report.tables.format import ReportTable, p_words
from headtohead.report.tables.supplement import for_class, risk_coverage, supplement_tables
from headtohead.report.views.audit import AuditView, audit_view

__all__ = ["ReportContext", "ReportFigure", "build_report_context"]

TITLES = {
    "auroc": "AUROC (area under the ROC curve)",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "average_precision": "Average precision",
    "brier": "Brier score (lower is better)",
}
BASELINE_WORDS = {
    "majority": "always answers with the class frequencies of its training part;",
    "file-facts": (
        "sees width, height, bytes, mode and suffix of the file, never the image: what it reaches is how far "
        "the set can be solved without looking."
    ),
}
WORDS = {
    "better": ("better", "passed"),
    "equivalent": ("equivalent", "passed"),
    "no_evidence": ("no evidence of a difference", "note"),
    "cannot_tell": ("the data cannot tell", "warning"),
    "refused": ("refused", "severe"),
}
_MOST_CLASSES = 8
SECTIONS = (
    ("scores", "Scores"),
    ("differences", "Difference"),
    ("curves", "Right and wrong"),
    ("trust", "Trust"),
    ("learning", "Training"),
    ("data", "Data"),
    ("limits", "Limits"),
    ("provenance", "Provenance"),
)


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """A figure with its heading and an optional note below."""

    title: str
    svg: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReportContext(AuditView):
    """Everything that the template names."""

    title: str = ""
    synthetic: bool = False
    sentence: str = ""
    subtitle: str = ""
    sections: tuple[tuple[str, str], ...] = SECTIONS
    caveats: tuple[str, ...] = ()
    level: str = "95 %"
    baselines: tuple[tuple[str, str], ...] = ()
    forests: tuple[ReportFigure, ...] = ()
    scores: tuple[Any, ...] = ()
    rule: str = ""
    differences: str = ""
    ranks: ReportFigure | None = None
    comparisons: tuple[dict[str, Any], ...] = ()
    legend: tuple[dict[str, str], ...] = ()
    curves: tuple[ReportFigure, ...] = ()
    confusions: tuple[ReportFigure, ...] = ()
    confusion_note: str = ""
    mistakes: tuple[dict[str, Any], ...] = ()
    crops: tuple[dict[str, str], ...] = ()
    crops_note: str = ""
    trust: tuple[ReportTable, ...] = ()
    trust_figures: tuple[ReportFigure, ...] = ()
    checklist: tuple[dict[str, str], ...] = ()
    learning_head: tuple[str, ...] = ()
    learning: tuple[dict[str, Any], ...] = ()
    training: tuple[ReportFigure, ...] = ()
    limits: tuple[str, ...] = ()
    confounds: tuple[dict[str, Any], ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()
    contenders: tuple[dict[str, str], ...] = ()
    config: str = ""
    version: str = __version__


def build_report_context(run: RunFolder) -> ReportContext:
    """Read a finished run folder and return what its page shows.

    Raises:
        RunFolderError: a file is missing because the run is not finished.
    """
    import pandas as pd

    verdict = Verdict.model_validate(run.json("verdict.json"))
    audit = audit_view(run.json("audit.json"), run.json("thumbs.json"))
    predictions = pd.read_parquet(run.require("predictions.parquet"))
    learning = pd.read_parquet(run.require("learning.parquet"))
    images = run.json("images.json")
    config_text = run.require("study.toml").read_text()
    config = tomllib.loads(config_text)
    order = list(dict.fromkeys(predictions["contender"]))
    classes = [name.removeprefix("prob_") for name in predictions.columns if name.startswith("prob_")]
    return ReportContext(
        **audit.fields(),
        title=f"{Path(config['data']).name} ({run.path.resolve().name})",
        synthetic=bool(predictions["sample"].str.contains("synthetic").all()),
        sentence=verdict.sentence,
        subtitle=_subtitle(config, audit.facts, order),
        caveats=verdict.caveats,
        level=f"{100 * config['level']:g} %",
        baselines=tuple((name, words) for name, words in BASELINE_WORDS.items() if name in order),
        forests=_forests(verdict, order),
        scores=verdict.scores,
        rule=verdict.rule,
        differences=figures.differences(verdict.comparisons),
        ranks=_ranks(verdict.details, order),
        comparisons=tuple(_comparison(one) for one in verdict.comparisons),
        legend=tuple({"name": name, "colour": colour(i)} for i, name in enumerate(order)),
        curves=_curves(verdict.details, order),
        confusions=_confusions(verdict.details, order, classes),
        confusion_note=", means over repeats" if config["repeats"] > 1 else "",
        mistakes=tuple(images["missed"]),
        crops=tuple(images["shown"]),
        crops_note=_crop_words(run.json("recipe.json")),
        trust=supplement_tables(verdict.details, order),
        trust_figures=_trust_figures(verdict.details, order),
        checklist=tuple(run.json("checklist.json")["items"]) if (run / "checklist.json").is_file() else (),
        learning_head=(
            "train accuracy",
            "inner accuracy",
            "test accuracy",
            "train loss",
            "inner loss",
            "test loss",
        ),
        learning=learning_rows(learning, order),
        training=_training(learning),
        limits=limits(config, audit.facts, order),
        confounds=tuple(run.json("confounds.json")["pairs"]) if (run / "confounds.json").is_file() else (),
        provenance=provenance_rows(run.json("provenance.json"), audit.facts),
        contenders=tuple(
            weights_row(run.json(f"contenders/{path.name}"))
            for path in sorted((run / "contenders").glob("*.json"))
        ),
        config=config_text,
    )


def _subtitle(config: Mapping[str, Any], facts: Mapping[str, Any], order: Sequence[str]) -> str:
    split = config["split"]
    way = (
        f"{config['repeats']} × {config['folds']} grouped, stratified folds"
        if split == "kfold"
        else f"split {split}"
    )
    return (
        f"{facts['n_samples']} images in {facts['n_groups']} groups (a patient, or copies of one scene), "
        f"{len(facts['classes'])} classes; "
        f"{way}; {len(order)} contenders with baselines; seed {config['seed']}."
    )


def _crop_words(recipe: Mapping[str, Any]) -> str:
    return (
        f"Left the image as it is, right what the recipe '{recipe['name']}' makes of it ({recipe['reason']})."
    )


def _forests(verdict: Verdict, order: Sequence[str]) -> tuple[ReportFigure, ...]:
    rates, n = ["sensitivity", "specificity"], len(verdict.details.get("classes", ()))
    if n > 2:
        rates = [f"sensitivity_{name}" for name in verdict.details["classes"][:_MOST_CLASSES]]
    wanted = list(dict.fromkeys([verdict.metric, "auroc", "accuracy", *rates]))
    found = []
    for metric in wanted:
        scores = [score for score in verdict.scores if score.metric == metric]
        if scores:
            chance = 0.5 if metric == "auroc" else None
            mean = f", mean over {n} classes" if metric in ("auroc", "average_precision") and n > 2 else ""
            title = TITLES.get(metric, "") + mean or metric.replace(
                "sensitivity_", "Sensitivity, class "
            ).replace("_", " ")
            found.append(ReportFigure(title, figures.forest(scores, order, chance=chance)))
    return tuple(found)


def _ranks(details: Mapping[str, Any], order: Sequence[str]) -> ReportFigure | None:
    drawn = critical_difference(details, order)
    return ReportFigure("Ranks", drawn, NOTE) if drawn else None


def _comparison(one: Any) -> dict[str, Any]:
    word, tone = WORDS[one.verdict]
    tests = [
        (name, {"statistic": _plain(t.statistic), "p": p_words(t.p_value), "note": t.note})
        for name, t in one.tests.items()
    ]
    tests[1:1] = adjusted_tests(one)
    return {"a": one.a, "b": one.b, "word": word, "tone": tone, "sentence": one.sentence, "tests": tests}


def _curves(details: Mapping[str, Any], order: Sequence[str]) -> tuple[ReportFigure, ...]:
    """Return ROC and calibration curves: of the positive class, or of each class beyond two."""
    found = []
    shown = [name for name in order if name != "majority"]
    of_whom = [details["positive"]] if details.get("positive") else list(details.get("classes", ()))
    for label in of_whom:
        curves = for_class(details.get("roc", {}), label)
        which = f", {label} against the rest" if len(of_whom) > 1 else ""
        if curves:
            found.append(ReportFigure(f"ROC curves{which}", figures.roc(curves, order), "Dashed: chance."))
    bins = {name: one["bins"] for name, one in details.get("calibration", {}).items() if name in shown}
    if any(bins.values()):
        note = "Dashed: perfect calibration; bands: 95 %, resampling groups."
        few = {one["note"] for one in details["calibration"].values() if one.get("note")}
        note += "".join(f" Careful: {word}." for word in sorted(few))
        if len(of_whom) > 1:
            note = f"Probability of the most probable class against how often it is right. {note}"
        found.append(ReportFigure("Calibration", figures.calibration(bins, order), note))
    return tuple(found)


def _trust_figures(details: Mapping[str, Any], order: Sequence[str]) -> tuple[ReportFigure, ...]:
    curves = details.get("decision_curves") or {}
    note = ""
    if curves.get("prevalence") is not None:
        note = f"At a prevalence of {curves['prevalence']:.3g}; dashed: treat all and treat none."
        note += " The probabilities were re-based to it." if curves.get("note") else ""
    found = (
        ReportFigure("Net benefit (decision curve)", decision(details, order), note),
        ReportFigure("Answering only when sure", risk_coverage(details, order), "Lower is better."),
    )
    return tuple(one for one in found if one.svg)


def _confusions(
    details: Mapping[str, Any], order: Sequence[str], classes: Sequence[str]
) -> tuple[ReportFigure, ...]:
    matrices = details.get("confusion", {})
    return tuple(
        ReportFigure(name, figures.confusion(matrices[name]["mean"], classes))
        for name in order
        if name in matrices
    )


def _training(learning: Any) -> tuple[ReportFigure, ...]:
    import json

    found = []
    for name, rows in learning.groupby("contender", sort=False):
        epochs = json.loads(rows.iloc[0]["epochs"])
        if epochs:
            found += [
                ReportFigure(f"{name}: {key}", figures.learning(epochs, key, key))
                for key in ("loss", "accuracy")
            ]
    return tuple(found)


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
