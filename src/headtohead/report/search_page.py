"""Page of `headtohead best`: the estimate, the gain of each step, and what the search chose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from headtohead.core.formatting import pluralize
from headtohead.core.records import Verdict
from headtohead.report.frame import Frame, Tile, Tone
from headtohead.report.page import render
from headtohead.report.tables.format import signed_digits
from headtohead.report.views.comparison_figures import ReportFigure, svg_figure

__all__ = ["page"]

_METRICS = {"auroc": "AUROC", "accuracy": "Accuracy"}
_SECTIONS = (("gains", "Gain of each step"), ("chosen", "What the search chose"))


def page(summary: Mapping[str, Any], verdict: Verdict) -> str:
    """Return one self-contained HTML page.

    Args:
        summary: the content of `best.json`. verdict: on the steps of the ablation.
    """
    from headtohead.report.figures import plot_scores

    order = [row["name"] for row in summary["ladder"]]
    figures: tuple[ReportFigure, ...] = ()
    for metric, title in _METRICS.items():
        scores = [score for score in verdict.scores if score.metric == metric]
        if scores:
            points = [
                ("step", metric, "low", "high"),
                *((s.contender, s.value, s.low, s.high) for s in scores),
            ]
            figures += svg_figure(title, plot_scores(scores, order=order), points=points)
    view = {**_view(summary), "positive": verdict.positive}
    return render("search.html", frame=_frame(summary), view=view, figures=figures)


def _frame(summary: Mapping[str, Any]) -> Frame:
    """Return the answer on the final model: its estimate, the floor, the size, the gain of the last step."""
    final = _final(summary)
    auroc, floor = final["auroc"], summary["floor"]
    name = f"The model '{final['name']}'"
    if floor["refusal"]:
        heading = "Refused: the model is not shown to use the images."
    elif auroc["value"] is None:
        heading = f"{name} has no AUROC on these images."
    else:
        heading = f"{name} is expected to reach AUROC {auroc['value']:.3f} on new groups like these."
    return Frame(
        title="best model on these images",
        kicker="Best model on these images",
        heading=heading,
        lead=tuple(summary["sentences"]),
        tiles=tuple(_tiles(summary, final)),
        caveats=(*summary["caveats"], *summary["notes"]),
        sections=_SECTIONS,
        source="best.json",
    )


def _final(summary: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the row of the final model: with fine-tuned networks where there are any, else the search."""
    rows = {row["name"]: row for row in summary["ladder"]}
    row: Mapping[str, Any] = (
        rows.get("searched + fine-tuned") or rows.get("searched") or summary["ladder"][-1]
    )
    return row


def _tiles(summary: Mapping[str, Any], final: Mapping[str, Any]) -> Iterable[Tile]:
    for metric, title in _METRICS.items():
        score, narrow = final[metric], bool(final[metric]["warnings"])
        value = "not defined" if score["value"] is None else f"{score['value']:.3f}"
        ends = (
            ""
            if score["low"] is None
            else f"{100 * score['level']:g} % CI {score['low']:.3f} to {score['high']:.3f}"
        )
        note = f"{ends}{'; may be too narrow' if narrow else ''}"
        yield Tile(title, value, note, "warning" if narrow else "note", "#gains")
    scores, refused = summary["floor"]["scores"], bool(summary["floor"]["refusal"])
    if scores.get("auroc", {}).get("value") is not None:
        beats = any("beats it" in sentence for sentence in summary["floor"]["sentences"])
        note = "the model beats it" if beats else "the model is not shown to beat it"
        tone: Tone = "passed" if beats else "severe" if refused else "warning"
        yield Tile("File facts alone", f"AUROC {scores['auroc']['value']:.3f}", note, tone, "#answer")
    score = final["auroc"]
    size = pluralize(int(score["n_groups"]), "group")
    yield Tile("Size", size, f"{pluralize(int(score['n_samples']), 'image')}", "note", "#gains")


def _view(summary: Mapping[str, Any]) -> dict[str, Any]:
    rows, model = summary["ladder"], summary["model"]
    share = 1 / (
        1 + len(model["tuned"])
    )  # all probes together count as one member beside each fine-tuned network
    members = [f"{m['name']}: weight {share * m['weight']:.2f}, C = {m['C']:g}" for m in model["members"]]
    return {
        "cells": summary["cells"],
        "steps": [
            (row["name"], *(c for m in _METRICS for c in (_score(row[m]), _gain(row[f"gain_in_{m}"]))))
            for row in rows
        ],
        "narrow": any(row[metric]["warnings"] for row in rows for metric in _METRICS),
        "branches": [
            # two steps over the same one: the second does not contain the first
            (a["name"], b["name"], a["over"]) for a, b in pairwise(rows) if b["over"] == a["over"] is not None
        ],
        "chosen": summary["chosen"].items(),
        "tuned": bool(model["tuned"]),
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
    difference, low, high = (signed_digits(gain[k]) for k in ("difference", "low", "high"))
    return f"{difference} [{low}, {high}]"
