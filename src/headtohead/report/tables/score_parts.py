"""Tables beside the scores: differences in every metric, parts of the Brier score, intervals by other methods."""

from __future__ import annotations

from collections.abc import Sequence

from headtohead.core.tables.details import VerdictDetails
from headtohead.core.tables.differences import MetricDifference
from headtohead.report.tables.format import ReportTable, digits, signed_digits

__all__ = ["brier_table", "difference_table", "interval_table", "undefined_rows"]

_PAIRS_SHOWN = 3  # columns that fit a page; verdict.json holds all pairs
_BETTER = {"high": "higher", "low": "lower", "one": "near 1", "zero": "near 0"}

_METHODS = {
    "percentile": "bootstrap percentile",
    "expanded_percentile": "bootstrap, widened for few groups",
    "bca": "bootstrap BCa",
    "delong_logit": "DeLong (images as units)",
    "obuchowski_logit": "Obuchowski (groups as units)",
}


def difference_table(details: VerdictDetails, order: Sequence[str]) -> ReportTable | None:
    """Return the paired differences of the first pairs in every metric, the primary one in the first row."""
    del order
    found = details.differences or ()
    if not found:
        return None
    pairs = list(dict.fromkeys((one.a, one.b) for one in found))
    shown = pairs[:_PAIRS_SHOWN]
    cells = {(one.metric, one.a, one.b): _difference(one) for one in found}
    rows = tuple(
        (
            f"{one.title} (primary)" if one.role == "primary" else one.title,
            _BETTER[one.better],
            *(cells[one.metric, a, b] for a, b in shown),
        )
        for one in found
        if (one.a, one.b) == pairs[0]
    )
    level = f"{100 * found[0].level:g} %"
    more = (
        f" The first {len(shown)} of {len(pairs)} pairs; verdict.json holds all."
        if len(pairs) > len(shown)
        else ""
    )
    note = (
        f"Paired differences with {level} intervals. The verdict rests on the first row alone. All other metrics are "
        "secondary: their intervals are not adjusted for the number of metrics, so that some may exclude 0 by chance, "
        f"and they name no winner.{more}"
    )
    head = ("metric", "better", *(f"{a} − {b}" for a, b in shown))
    return ReportTable("Differences in every metric", note, head, rows)


def _difference(one: MetricDifference) -> str:
    if one.difference is None:
        return "not defined"
    if one.low is None or one.high is None:
        return signed_digits(one.difference)
    return f"{signed_digits(one.difference)} [{signed_digits(one.low)}, {signed_digits(one.high)}]"


def brier_table(details: VerdictDetails, order: Sequence[str]) -> ReportTable | None:
    """Return the Brier score split into its parts (Murphy 1973; Stephenson et al. 2008)."""
    curves = {name: details.calibration[name] for name in order if name in details.calibration}
    if not curves:
        return None
    parts = {name: curve.brier_parts for name, curve in curves.items()}
    rows = tuple(
        (name, *map(digits, (p.brier, p.reliability, p.resolution, p.uncertainty, p.within_bin)))
        for name, p in parts.items()
    ) + undefined_rows(details, order, 6)
    each_class = "" if details.positive else " Summed over the classes, each against the rest."
    warnings = dict.fromkeys(curve.note for curve in curves.values() if curve.note)
    note = (
        "Score = reliability (distance from the observed frequencies, less is better) − resolution (how far "
        "apart the bins lie, more is better) + uncertainty (of the labels alone) + variation within bins."
        f"{each_class}{''.join(f' Caution: {word}.' for word in warnings)}"
    )
    head = ("contender", "Brier score", "reliability", "resolution", "uncertainty", "within bins")
    return ReportTable("Brier score decomposition", note, head, rows)


def undefined_rows(details: VerdictDetails, order: Sequence[str], cells: int) -> tuple[tuple[str, ...], ...]:
    """Return a row of `cells` cells for each contender that gives no probabilities."""
    without = details.no_probabilities or {}
    return tuple((name, "not defined", *[""] * (cells - 2)) for name in order if name in without)


def interval_table(details: VerdictDetails, order: Sequence[str]) -> ReportTable | None:
    """Return the primary metric's interval by the methods that the verdict did not use."""
    by_name = {name: details.intervals[name] for name in order if details.intervals.get(name)}
    methods = [key for key in _METHODS if any(key in ends for ends in by_name.values())]
    if not methods:
        return None
    rows = tuple((name, *(_ends(ends.get(key)) for key in methods)) for name, ends in by_name.items())
    note = "By other methods than that of the table of scores, to show whether the choice of method matters."
    head = ("contender", *(_METHODS[key] for key in methods))
    return ReportTable("Sensitivity of the interval to the method", note, head, rows)


def _ends(ends: Sequence[float] | None) -> str:
    return "" if ends is None else f"[{digits(ends[0])}, {digits(ends[1])}]"
