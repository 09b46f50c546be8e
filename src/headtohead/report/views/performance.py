"""The section on performance: score table, slider of threshold and prevalence, confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headtohead.core.records import Score, Verdict
from headtohead.report.tables.format import digits
from headtohead.report.views.answer import BASELINES, metric_title
from headtohead.report.views.cases import THOUSAND, CaseTable

__all__ = ["confusion_tables", "pair_counts", "performance_view", "pivot", "slider"]

COLUMNS = ("auroc", "accuracy", "sensitivity", "specificity", "ppv", "npv", "brier", "calibration_slope")
SHORT = {
    "auroc": "AUROC", "ppv": "PPV", "npv": "NPV", "brier": "Brier (low is good)",
    "calibration_slope": "calibration slope (ideal 1)", "balanced_accuracy": "balanced accuracy",
}  # fmt: skip
DECIMAL = 0.5  # threshold at which the slider begins


def performance_view(
    verdict: Verdict, cases: CaseTable, order: Sequence[str], spent: dict[str, Any]
) -> dict[str, Any]:
    """Return the tables of the section.

    Args:
        verdict: of the run. cases: the predictions. order: contenders. spent: contender -> seconds in all.
    """
    return {
        "pivot": pivot(verdict, order, spent),
        "slider": slider(cases, order),
        "calibration": _slopes(verdict, order),
        "confusion": confusion_tables(cases, order),
        "pairs": pair_counts(cases, verdict),
        "repeats": cases.n_repeats,
    }


def pivot(verdict: Verdict, order: Sequence[str], spent: dict[str, Any]) -> dict[str, Any]:
    """Return contenders in rows and metrics in columns, each value with its interval."""
    present = {score.metric for score in verdict.scores}
    several = (
        [f"sensitivity_{name}" for name in verdict.details.classes]
        if verdict.details.positive is None
        else []
    )
    metrics = [m for m in dict.fromkeys((verdict.metric, *COLUMNS, *several)) if m in present]
    found = {(score.contender, score.metric): score for score in verdict.scores}
    rows = []
    for name in order:
        cells = [_cell(found.get((name, metric)), name, metric) for metric in metrics]
        rows.append({"name": name, "baseline": name in BASELINES, "cells": cells, "seconds": spent.get(name)})
    positive = verdict.details.positive
    heads = [_head(metric, positive) for metric in metrics]
    return {
        "heads": heads,
        "rows": rows,
        "level": f"{100 * verdict.scores[0].level:g} %" if verdict.scores else "",
    }


def _head(metric: str, positive: str | None) -> str:
    title = SHORT.get(metric, metric_title(metric))
    return f"{title} for {positive}" if positive and metric in ("sensitivity", "ppv") else title


def _cell(score: Score | None, contender: str, metric: str) -> dict[str, Any]:
    if score is None:
        return {"text": "", "interval": "", "value": None}
    if score.value is None:
        return {"text": "not defined", "interval": "", "value": None}
    # A constant score has 0.5 on any sample, so its interval would be a point.
    if contender == "majority" and metric == "auroc":
        return {"text": digits(score.value), "interval": "by definition", "value": score.value}
    if contender == "majority" and metric.startswith("calibration"):
        return {"text": "", "interval": "", "value": None}
    ends = "" if score.low is None or score.high is None else f"{digits(score.low)} to {digits(score.high)}"
    return {"text": digits(score.value), "interval": ends, "value": score.value}


def _slopes(verdict: Verdict, order: Sequence[str]) -> list[dict[str, Any]]:
    """Return slope and intercept of the calibration of each contender, [] where they are not defined."""
    found = {(score.contender, score.metric): score for score in verdict.scores}
    return [
        {
            "name": name,
            "slope": _cell(found.get((name, "calibration_slope")), name, "calibration_slope"),
            "intercept": _cell(found.get((name, "calibration_intercept")), name, "calibration_intercept"),
        }
        for name in order
        if name != "majority" and (name, "calibration_slope") in found
    ]


def slider(cases: CaseTable, order: Sequence[str]) -> dict[str, Any]:
    """Return sensitivity and specificity over thresholds, and the table that is shown before anything is moved."""
    if cases.positive is None:
        return {}
    prevalence = float((cases.labels == cases.classes.index(cases.positive)).mean())
    curves = {name: cases.sweep(name) for name in order if name != "majority"}
    rows = []
    for name, curve in curves.items():
        place = round(DECIMAL * (len(curve["sensitivity"]) - 1))
        rows.append(
            {
                "name": name,
                **at_prevalence(curve["sensitivity"][place], curve["specificity"][place], prevalence),
            }
        )
    return {
        "positive": cases.positive,
        "prevalence": round(prevalence, 3),
        "threshold": DECIMAL,
        "curves": curves,
        "rows": rows,
    }


def at_prevalence(
    sensitivity: float, specificity: float, prevalence: float, threshold: float = DECIMAL
) -> dict[str, str]:
    """Return the 2 x 2 table of 1,000 patients, predictive values and net benefit, as text.

    Net benefit is TP/n - FP/n x t/(1 - t) (Vickers and Elkin 2006).

    >>> at_prevalence(0.9, 0.8, 0.1)["tp"], at_prevalence(0.9, 0.8, 0.1)["ppv"]
    ('90', '0.333')
    """
    tp, fp = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    fn, tn = prevalence - tp, 1 - prevalence - fp
    odds = threshold / (1 - threshold)
    return {
        "sensitivity": digits(sensitivity),
        "specificity": digits(specificity),
        **{key: f"{THOUSAND * share:.0f}" for key, share in (("tp", tp), ("fp", fp), ("fn", fn), ("tn", tn))},
        "ppv": digits(tp / (tp + fp)) if tp + fp > 0 else "not defined",
        "npv": digits(tn / (tn + fn)) if tn + fn > 0 else "not defined",
        "benefit": digits(tp - fp * odds),
    }


def confusion_tables(cases: CaseTable, order: Sequence[str]) -> list[dict[str, Any]]:
    """Return the confusion matrix of each contender in each repeat, in whole images."""
    return [
        {
            "name": name,
            "classes": list(cases.classes),
            "repeats": [cases.confusion(name, repeat) for repeat in range(cases.n_repeats)],
        }
        for name in order
        if name != "majority"
    ]


def pair_counts(cases: CaseTable, verdict: Verdict) -> list[dict[str, Any]]:
    """Return for each compared pair how many images only one of both gets right, in the first repeat."""
    rows = []
    for one in verdict.comparisons:
        if one.a in cases.contenders and one.b in cases.contenders and "majority" not in (one.a, one.b):
            counts = [cases.discordant(one.a, one.b, repeat) for repeat in range(cases.n_repeats)]
            rows.append({"a": one.a, "b": one.b, "counts": [list(c) for c in counts]})
    return rows
