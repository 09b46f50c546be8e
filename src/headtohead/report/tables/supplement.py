"""What may be done with a probability: operating points, sets, net benefit, abstention, ranks, spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headtohead.core.formatting import format_percent
from headtohead.report.figures import plots as figures
from headtohead.report.tables.decision_curve import benefit_table
from headtohead.report.tables.format import ReportTable, format_estimate, nearest
from headtohead.report.tables.score_parts import brier_table, interval_table

__all__ = ["for_class", "risk_coverage", "supplement_tables"]


_MOST_CLASSES = 4
SPREADS = {
    "contender": "contenders (between them)",
    "group": "groups (another draw of patients)",
    "repeat": "repeats (another seed and split)",
    "fold": "folds (within one repeat; mostly their small size)",
}
RECALIBRATIONS = {
    "temperature": "temperature",
    "platt": "Platt",
    "isotonic": "isotonic",
    "venn_abers": "Venn-Abers",
}


def for_class(by_name: Mapping[str, Any], label: str) -> dict[str, Any]:
    """Return contender -> curve of one class, where there is one."""
    return {name: one[label] for name, one in by_name.items() if label in one}


def supplement_tables(details: Mapping[str, Any], order: Sequence[str]) -> tuple[ReportTable, ...]:
    """Return the tables that the verdict's details can fill, in reading order."""
    makers = (
        _gains,
        _budget,
        _operating_points,
        benefit_table,
        _subgroups,
        brier_table,
        _recalibration,
        _conformal,
        _risk,
        _ranks,
        _critical,
        _variance,
        interval_table,
    )
    found = (maker(details, order) for maker in makers)
    return tuple(table for table in found if table is not None)


def _gains(details: Mapping[str, Any], order: Sequence[str]) -> ReportTable | None:
    del order
    rows = tuple(
        (one["contender"], one["member"], f"{one['gain']:+.3f}", f"{one['low']:+.3f} to {one['high']:+.3f}")
        for one in details.get("gains", ())
    )
    note = (
        "Against the member that came out best, which favours the member; the interval is that of the pair."
    )
    head = ("ensemble", "best member", "gain", "interval")
    return ReportTable("What joining is worth", note, head, rows) if rows else None


def _budget(details: Mapping[str, Any], order: Sequence[str]) -> ReportTable | None:
    found = details.get("budget")
    if not found:
        return None
    trials = found["trials"]
    rows = tuple(
        (name, str(min(trials[name])), str(max(trials[name])), str(sum(trials[name])))
        for name in order
        if name in trials
    )
    note = f"Each contender could spend {found['stated']}; all choosing was inside inner folds."
    head = ("contender", "least trials in a cell", "most", "in all")
    return ReportTable("What choosing cost", note, head, rows)


def risk_coverage(details: Mapping[str, Any], order: Sequence[str]) -> str:
    """Return risk-coverage curves: error among the images kept when the least sure are left to a person."""
    curves = details.get("risk_coverage") or {}
    lines = {
        name: (
            [p["kept"] for p in curves[name]["points"]],
            [p["risk"]["value"] for p in curves[name]["points"]],
        )
        for name in order
        if name in curves
        and name != "majority"
        and all(p["risk"]["value"] is not None for p in curves[name]["points"])
    }
    return figures.curves(lines, xlabel="share of images answered", ylabel="error among them", order=order)


def _operating_points(details: Mapping[str, Any], order: Sequence[str]) -> ReportTable | None:
    rates = {"sensitivity": "sensitivity", "specificity": "specificity", "ppv": "PPV", "npv": "NPV"}
    points = details.get("operating_points") or {}
    asked = any("at_prevalence" in one for point in points.values() for one in point["contenders"].values())
    rows = []
    for point in points.values():
        for name in order:
            one = point["contenders"].get(name, {})
            if not one.get("scores") or name == "majority":
                continue
            found = {score["metric"]: format_estimate(score) for score in one["scores"]}
            there = one.get("at_prevalence", {})
            at = (format_estimate(there.get("ppv")), format_estimate(there.get("npv"))) if asked else ()
            rows.append((point["chosen_for"], name, *(found.get(m, "") for m in rates), *at))
    if not rows:
        return None
    note = "Each threshold was chosen on inner folds of the training part, then applied to the test lines."
    if len(points) == 1:
        note = "One threshold, fixed beforehand: there were no inner predictions to choose another on."
    at_words: tuple[str, ...] = ()
    if asked:
        share = f"{details['decision_curves']['prevalence']:.3g}"
        at_words = (f"PPV at {share}", f"NPV at {share}")
        note += f" The last two columns are for a place where {share} of those seen are positive."
    return ReportTable(
        "Operating points", note, ("chosen for", "contender", *rates.values(), *at_words), tuple(rows)
    )


def _recalibration(details: Mapping[str, Any], order: Sequence[str]) -> ReportTable | None:
    found = details.get("recalibration") or {}
    shown = [name for name in order if name in found and name != "majority"]
    tried = [m for m in RECALIBRATIONS if any(f"{m}_log_loss_change" in found[name] for name in shown)]
    if not tried:
        return None
    widths = any("venn_abers_width" in found[name] for name in shown)
    rows = tuple(
        (
            name,
            *(format_estimate(found[name].get(f"{m}_log_loss_change")) for m in tried),
            *((format_estimate(found[name].get("venn_abers_width")),) if widths else ()),
        )
        for name in shown
    )
    careful = dict.fromkeys(note for name in shown for note in found[name].get("notes", ()))
    note = (
        "Change of the log loss on the test lines after a recalibration that was fitted on inner folds; "
        f"below 0 is better.{''.join(f' Careful: {word}.' for word in careful)}"
    )
    last = ("distance of Venn-Abers' two probabilities",) if widths else ()
    return ReportTable("Recalibration", note, ("contender", *(RECALIBRATIONS[m] for m in tried), *last), rows)


def _conformal(details: Mapping[str, Any], order: Sequence[str]) -> ReportTable | None:
    found = details.get("conformal") or {}
    sets = {
        name: one for name, one in found.get("contenders", {}).items() if name in order and name != "majority"
    }
    if not sets or all("no inner predictions" in one.get("refused", "") for one in sets.values()):
        return None
    classes = details.get("classes", ())
    each = [f"coverage_{name}" for name in classes] if len(classes) <= _MOST_CLASSES else []
    keys = ("coverage", *each, "mean_size", "singletons", "singletons_right")
    rows = tuple(
        (name, f"refused: {sets[name]['refused']}", *[""] * (len(keys) - 1))
        if "refused" in sets[name]
        else (name, *(format_estimate(sets[name].get(key)) for key in keys))
        for name in order
        if name in sets
    )
    note = (
        f"Sets that hold the true class in {format_percent(1 - found['alpha'])} of cases, per class, cross-fitted on "
        "groups. An image with more than one class in its set is left to a person."
    )
    words = [key.replace("coverage_", "coverage of ") for key in each]
    head = ("contender", "coverage", *words, "mean size", "single answers", "of them right")
    return ReportTable("Conformal sets", note, head, rows)


def _risk(details: Mapping[str, Any], order: Sequence[str]) -> ReportTable | None:
    curves = details.get("risk_coverage") or {}
    shown = [name for name in order if name in curves and name != "majority"]
    shares, rows = (0.5, 0.8, 0.9, 1.0), []
    for name in shown:
        points = curves[name]["points"]
        kept = [point["kept"] for point in points]
        rows.append((name, *(format_estimate(points[nearest(kept, share)]["risk"]) for share in shares)))
    note = "Error among the images that are answered when the least sure are left to a person."
    head = ("contender", *(f"{format_percent(share)} answered" for share in shares))
    return ReportTable("Answering only when sure", note, head, tuple(rows)) if rows else None


def _ranks(details: Mapping[str, Any], order: Sequence[str]) -> ReportTable | None:
    found = (details.get("ranks") or {}).get("contenders", {})
    rows = tuple(
        (
            name,
            f"{found[name]['rank']:.0f}",
            f"{found[name]['low']:.0f} to {found[name]['high']:.0f}",
            f"{format_percent(found[name]['share_first'])}",
        )
        for name in order
        if name in found
    )
    if len(rows) < 3:
        return None
    note = "How often another draw of patients would have led to another order."
    return ReportTable(
        "Ranks under the bootstrap", note, ("contender", "rank", "95 % of resamples", "first in"), rows
    )


def _critical(details: Mapping[str, Any], order: Sequence[str]) -> ReportTable | None:
    found = details.get("critical_difference") or {}
    ranks = found.get("mean_ranks") or {}
    if len(ranks) < 3 or found.get("critical_difference") is None:
        return None
    note = (
        f"Friedman's test over {found['n_folds']} folds: p = {found['p_value']:.3g}; mean ranks that differ by less "
        f"than {found['critical_difference']:.2f} (Nemenyi) cannot be told apart. {found.get('note') or ''}"
    )
    rows = tuple(
        (name, f"{ranks[name]:.2f}") for name in sorted(ranks, key=lambda one: ranks[one]) if name in order
    )
    return ReportTable("Critical difference", note, ("contender", "mean rank"), rows)


def _variance(details: Mapping[str, Any], order: Sequence[str]) -> ReportTable | None:  # noqa: ARG001
    found = details.get("variance") or {}
    parts = {key.removeprefix("sd_"): value for key, value in found.items() if key.startswith("sd_")}
    rows = tuple(
        (SPREADS.get(name, name), f"{value:.3f}") for name, value in parts.items() if value is not None
    )
    if not rows:
        return None
    note = "Standard deviation of the primary metric that comes from each source: what a second study would see move."
    return ReportTable("Where the spread comes from", note, ("source", "standard deviation"), rows)


def _subgroups(details: Mapping[str, Any], order: Sequence[str]) -> ReportTable | None:
    rows = []
    for column, found in (details.get("subgroups") or {}).items():
        for value, entry in found["values"].items():
            size = f"{entry['n_samples']} in {entry['n_groups']}"
            if "too_few" in entry:
                rows.append((column, value, size, "all", entry["too_few"], "", ""))
            for name in order:
                if name in entry["contenders"]:
                    one = entry["contenders"][name]
                    p = one.get("p_holm")
                    gap = (format_estimate(one.get("difference")), "" if p is None else f"{p:.3f}")
                    rows.append((column, value, size, name, format_estimate(one["score"]), *gap))
    if not rows:
        return None
    note = (
        "Differences are against all other images; p is adjusted (Holm) over all values and contenders of a "
        "column, since many subgroups find differences by chance."
    )
    head = (
        "column", "value", "images in groups", "contender", "score", "difference from the rest", "adjusted p",
    )  # fmt: skip
    return ReportTable("Subgroups", note, head, tuple(rows))
