"""Page of `headtohead best`: the estimate, the gain of each step, and what the search chose."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from headtohead.core.records import Verdict
from headtohead.report.page import render

__all__ = ["page"]

_METRICS = {"auroc": "AUROC", "accuracy": "Accuracy"}


def page(summary: Mapping[str, Any], verdict: Verdict) -> str:
    """Return one self-contained HTML page.

    Args:
        summary: the content of `best.json`. verdict: on the steps of the ablation.
    """
    from headtohead.report.figures import plot_scores, to_svg

    order = [row["name"] for row in summary["ladder"]]
    figures = []
    for metric, title in _METRICS.items():
        scores = [score for score in verdict.scores if score.metric == metric]
        if scores:
            figures.append(
                {"title": title, "svg": to_svg(plot_scores(scores, order=order).figure), "note": ""}
            )
    return render("search.html", view={**_view(summary), "positive": verdict.positive}, figures=figures)


def _view(summary: Mapping[str, Any]) -> dict[str, Any]:
    rows, model = summary["ladder"], summary["model"]
    share = 1 / (
        1 + len(model["tuned"])
    )  # all probes together count as one member beside each fine-tuned network
    members = [f"{m['name']}: weight {share * m['weight']:.2f}, C = {m['C']:g}" for m in model["members"]]
    return {
        **{key: summary[key] for key in ("sentences", "caveats", "notes", "cells")},
        "steps": [
            (row["name"], *(c for m in _METRICS for c in (_score(row[m]), _gain(row[f"gain_in_{m}"]))))
            for row in rows
        ],
        "narrow": any(row[metric]["warnings"] for row in rows for metric in _METRICS),
        "branches": [
            (a["name"], b["name"], a["over"]) for a, b in pairwise(rows) if b["over"] == a["over"] is not None
        ],
        "chosen": summary["chosen"].items(),
        "members": [*members, *(f"{m['name']}: weight {share:.2f}" for m in model["tuned"])],
    }  # fmt: skip


def _score(score: Mapping[str, Any]) -> str:
    if score["value"] is None:
        return f"not defined ({score['note']})"
    mark = " *" if score["warnings"] else ""
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]{mark}"


def _gain(gain: Mapping[str, float] | None) -> str:
    if gain is None:
        return ""
    difference, low, high = (f"{round(gain[k], 3) + 0.0:+.3f}" for k in ("difference", "low", "high"))
    return f"{difference} [{low}, {high}]"
