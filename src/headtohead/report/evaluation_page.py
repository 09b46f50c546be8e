"""Page of `headtohead evaluate`: models on data that they were not trained on, beside their internal estimates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from headtohead.core.formatting import format_percent, pluralize
from headtohead.core.records import Verdict
from headtohead.core.tables.score import Score
from headtohead.report.figures.palette import css_color
from headtohead.report.frame import Frame, Tile, Tone
from headtohead.report.page import render
from headtohead.report.tables.format import digits, signed_digits, true_minus
from headtohead.report.views.answer import heading_of, metric_title
from headtohead.report.views.cases import CaseTable
from headtohead.report.views.comparison_figures import difference_figures, utility_figures
from headtohead.report.views.curve_figures import calibration_figures, curve_figures
from headtohead.report.views.performance import pivot
from headtohead.report.views.subgroups import subgroups_view

__all__ = ["evaluation_page"]

SECTIONS = (
    ("scores", "Scores"), ("calibration", "Calibration"), ("leaks", "Leaks"), ("guard", "Guard"),
    ("subgroups", "Subgroups"), ("methods", "Methods"),
)  # fmt: skip
THRESHOLDS = {
    "half": "0.5",
    "youden": "largest sum of sensitivity and specificity (Youden)",
    "sensitivity_90": "sensitivity of 0.9",
    "specificity_90": "specificity of 0.9",
    "cost_5_to_1": "least cost, a miss counting as five false alarms",
}
LISTED = 12  # images named in the page; evaluation.json names all


def evaluation_page(
    evaluation: Mapping[str, Any], verdict: Verdict, cases: CaseTable, flags: Mapping[str, str]
) -> str:
    """Return one self-contained HTML page.

    Args:
        evaluation: the content of `evaluation.json`. verdict: of the models on these data.
        cases: the predictions that are scored.
        flags: code of a notice of the guard -> what it means.
    """
    models: list[Mapping[str, Any]] = list(evaluation["models"])
    names = [model["name"] for model in models]
    view = {
        "level": f"{100 * verdict.scores[0].level:g} %" if verdict.scores else "",
        "positive": verdict.details.positive,
        # a single model needs no key to its colour
        "legend": [{"name": n, "color": css_color(i)} for i, n in enumerate(names)] if len(names) > 1 else [],
        "pivot": pivot(verdict, names, {}),
        "models": [_model(model, evaluation["n_samples"], flags) for model in models],
        "pairs": [{"a": c.a, "b": c.b, "sentence": c.sentence} for c in verdict.comparisons],
        "subgroups": subgroups_view(verdict.details, names, (), {}, {})["tables"],
        "caveats": [*evaluation["caveats"], *verdict.caveats],
    }
    figures = {
        "curves": curve_figures(verdict, names) + calibration_figures(verdict, names, cases),
        "utility": utility_figures(verdict.details, names),
        "differences": difference_figures(verdict, names),
    }
    return render("evaluation.html", frame=_frame(evaluation, verdict), view=view, figures=figures)


def _frame(evaluation: Mapping[str, Any], verdict: Verdict) -> Frame:
    """Return the answer, its numbers, what to look at before believing it, and the sections."""
    models: list[Mapping[str, Any]] = list(evaluation["models"])
    title = f"{' and '.join(model['name'] for model in models)} on {evaluation['data']}"
    heading = _heading(models, verdict)
    told = [true_minus(one) for one in evaluation["sentences"]]
    return Frame(
        title=title,
        kicker=title,
        heading=heading,
        # one model's heading is also the sentence on its cross-validated score
        lead=(_size(evaluation), *(one for one in told if not one.endswith(heading))),
        tiles=tuple(_tiles(evaluation, models)),
        sections=SECTIONS,
        source="evaluation.json and verdict.json",
    )


def _size(evaluation: Mapping[str, Any]) -> str:
    """Return how many images there are and how many of them are scored, in how many groups or as how many cases."""
    n, scored, groups = (evaluation[key] for key in ("n_samples", "n_scored", "n_groups"))
    units = f"as {pluralize(groups, 'case')}" if evaluation["per"] else f"in {pluralize(groups, 'group')}"
    are = "is" if scored == 1 else "are"
    return (
        f"{pluralize(n, 'image')}, of which {scored} {are} scored, {units}. No threshold, temperature or model was "
        "chosen on them."
    )


def _tiles(evaluation: Mapping[str, Any], models: Sequence[Mapping[str, Any]]) -> Iterable[Tile]:
    """Return size, copies of training images, calibration, and images that no model answered."""
    units = pluralize(evaluation["n_groups"], "case" if evaluation["per"] else "group")
    yield Tile("Size", units, f"{pluralize(evaluation['n_scored'], 'image')} scored", "note", "#scores")
    left_out = max(model["leak"]["left_out"] for model in models)
    blind = any(model["leak"]["near_copies"] is None for model in models)
    tone: Tone = "warning" if left_out or blind else "passed"
    value = f"{left_out} left out" if left_out else "none found"
    note = "near copies cannot be recognised" if blind else "with all of their groups"
    yield Tile("Copies of training images", value, note if left_out or blind else "", tone, "#leaks")
    slopes = [(m["name"], m["calibration"]["slope"]) for m in models if m["calibration"]["slope"] is not None]
    if slopes and slopes[0][1]["value"] is not None:
        off = [name for name, one in slopes if one["low"] is not None and not one["low"] <= 1 <= one["high"]]
        told = f"off for {', '.join(off)}" if off else "no interval excludes 1"
        value = f"slope {digits(slopes[0][1]['value'])}"
        yield Tile(
            "Calibration", value, f"of {slopes[0][0]}; 1 is ideal; {told}",
            "warning" if off else "passed", "#calibration",
        )  # fmt: skip
    failed = max(len(model["failed"]) for model in models)
    yield Tile(
        "Without a prediction", pluralize(failed, "image"), "in no score" if failed else "",
        "warning" if failed else "passed", "#guard",
    )  # fmt: skip


def _heading(models: Sequence[Mapping[str, Any]], verdict: Verdict) -> str:
    """Return the answer in one sentence: the pair where there are several models, else the score here."""
    if len(models) > 1:
        return f"{heading_of(verdict).rstrip('.')}."
    (model,) = models
    for line in model["internal"]:
        if line["metric"] == verdict.metric:
            here, there = Score(**line["external"]), Score(**line["internal"])
            if line["difference"]["value"] is None:
                return f"{metric_title(verdict.metric)} {here} here; cross-validated {there}, not compared."
            words = "differs from" if line["shifted"] else "agrees, within its interval, with"
            return f"{metric_title(verdict.metric)} {here} here {words} the cross-validated {there}."
    found = next((score for score in verdict.scores if score.metric == verdict.metric), None)
    return f"{metric_title(verdict.metric)}: {'not defined' if found is None else found}."


def _model(model: Mapping[str, Any], n_samples: int, flags: Mapping[str, str]) -> dict[str, Any]:
    """Return the tables of one model as text."""
    leak = model["leak"]
    return {
        "name": model["name"],
        "digest": model["digest"],
        "internal": [_against(line) for line in model["internal"]],
        "calibration": _calibration(model["calibration"]),
        "conformal": _conformal(model["conformal"]),
        "thresholds": [_threshold(one) for one in model["thresholds"]],
        "leak": leak["sentence"],
        "training": _listed(leak["samples"]),
        "near": _listed(leak["near_copies"] or ()),
        "guard": _guard(model, n_samples, flags),
        "failed": [(one["sample"], one["error"]) for one in model["failed"]],
        "caveats": model["caveats"],
    }


def _against(line: Mapping[str, Any]) -> tuple[str, ...]:
    difference = line["difference"]
    gap, shifted = "not defined", "not compared"
    if difference["value"] is not None:
        gap, shifted = _signed(difference), "yes" if line["shifted"] else "no evidence"
    return (
        metric_title(line["metric"]),
        _interval(line["external"]),
        _interval(line["internal"]),
        gap,
        shifted,
    )


def _interval(score: Mapping[str, Any]) -> str:
    if score["value"] is None:
        return "not defined"
    if score["low"] is None or score["high"] is None:
        return digits(score["value"])
    return f"{digits(score['value'])} [{digits(score['low'])}, {digits(score['high'])}]"


def _signed(one: Mapping[str, Any]) -> str:
    ends = "" if one["low"] is None else f" [{signed_digits(one['low'])}, {signed_digits(one['high'])}]"
    return signed_digits(one["value"]) + ends


def _calibration(shift: Mapping[str, Any]) -> list[str]:
    told = [true_minus(shift["sentence"])]
    if shift["temperature"] is not None:
        before, after = digits(shift["before"]), digits(shift["after"])
        better = shift["after"] < shift["before"]
        told.append(
            f"Recalibrated here with a further temperature of {shift['temperature']:.3f}, judged on folds of whole "
            f"groups that did not fit it: log loss {before} before and {after} after, "
            f"{'lower' if better else 'no lower'}."
        )
    return told


def _conformal(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "The model has no conformal sets."
    by_class = "; ".join(f"{name} {_interval(one)}" for name, one in found["by_class"].items())
    return (
        f"Conformal sets promise to hold the true class for {format_percent(found['promised'])} of images like the "
        f"training images; here they hold it for {_interval(found['coverage'])} (by class: {by_class}). The model "
        f"abstains on {_interval(found['abstained'])} of the images."
    )


def _threshold(one: Mapping[str, Any]) -> tuple[str, ...]:
    known = {score["metric"]: score for score in one["scores"]}
    shown = [
        _interval(known[name]) if name in known else ""
        for name in ("sensitivity", "specificity", "ppv", "npv")
    ]
    return (THRESHOLDS.get(one["name"], one["name"].replace("_", " ")), f"{one['value']:.3f}", *shown)


def _guard(model: Mapping[str, Any], n: int, flags: Mapping[str, str]) -> list[tuple[str, ...]]:
    codes = [code for code in flags if code in model["flags"] or code in model["expected_flags"]]
    rows: list[tuple[str, ...]] = []
    for code in codes:
        expected = model["expected_flags"].get(code)
        count = model["flags"].get(code, 0)
        rows.append(
            (
                code.replace("_", " "), flags[code], f"{count} of {n} ({format_percent(count / n)})",
                "" if expected is None else format_percent(expected, 1),
            )
        )  # fmt: skip
    return rows


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more, all in evaluation.json" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
