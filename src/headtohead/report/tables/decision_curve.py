"""Net benefit: the decision curve as a figure and, at a few thresholds around the prevalence, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headtohead.report.figures import plots as figures
from headtohead.report.tables.format import ReportTable, format_estimate, nearest

__all__ = ["benefit_table", "decision"]

_AROUND = (0.5, 1.0, 2.0, 4.0)
_HIGHEST = 0.9


def decision(details: Mapping[str, Any], order: Sequence[str]) -> str:
    """Return decision curves: net benefit against the threshold probability (Vickers and Elkin 2006).

    The axes show where a contender is worth something: thresholds up to the last one with a benefit, at most
    ten times the prevalence (or 0.2), and down to a third of the largest benefit below zero.
    """
    curves = details.get("decision_curves") or {}
    if not curves.get("contenders"):
        return ""
    xs = curves["thresholds"]
    lines = {name: _values(curves["contenders"][name]) for name in order if name in curves["contenders"]}
    own = [values for name, values in lines.items() if name != "majority"] or list(lines.values())
    lines |= {"treat all": _values(curves["treat_all"]), "treat none": _values(curves["treat_none"])}
    top = max(0.001, *(value for values in lines.values() for value in values))
    wanted = [x for x, *found in zip(xs, *own, strict=True) if max(found) > 0.02 * top]
    prevalence = curves.get("prevalence", xs[-1])
    end = min(max([*wanted, 2 * prevalence]), max(0.2, 10 * prevalence), xs[-1])
    kept = sum(x <= end for x in xs)
    return figures.curves(
        {name: (xs[:kept], values[:kept]) for name, values in lines.items()},
        xlabel="threshold probability", ylabel="net benefit", order=order, floor=-top / 3,
    )  # fmt: skip


def benefit_table(details: Mapping[str, Any], order: Sequence[str]) -> ReportTable | None:
    """Return net benefit with intervals at the thresholds next to 1/2, 1, 2 and 4 times the prevalence."""
    curves = details.get("decision_curves") or {}
    names = [name for name in order if name in curves.get("contenders", {}) and name != "majority"]
    if not names or "prevalence" not in curves:
        return None
    xs, prevalence = curves["thresholds"], curves["prevalence"]
    at = [nearest(xs, times * prevalence) for times in _AROUND if times * prevalence <= _HIGHEST]
    at = sorted(set(at))
    rows = [(name, *(format_estimate(curves["contenders"][name][i]) for i in at)) for name in names]
    rows.append(("treat all", *(format_estimate(curves["treat_all"][i]) for i in at)))
    rows.append(("treat none", *(format_estimate(curves["treat_none"][i]) for i in at)))
    note = (
        f"Where {prevalence:.3g} of those seen are positive: true positives per case, less the false ones at the "
        f"price that the threshold states. {_sentence(curves.get('note'))}"
    )
    return ReportTable(
        "Net benefit", note.rstrip(), ("acting from", *(f"{xs[i]:.3g}" for i in at)), tuple(rows)
    )


def _sentence(note: str | None) -> str:
    return f"{note[0].upper()}{note[1:]}." if note else ""


def _values(points: Sequence[Any]) -> list[float]:
    return [float(p["value"] if isinstance(p, Mapping) else p) for p in points]
