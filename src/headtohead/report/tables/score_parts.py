"""What a score is made of: the Brier score's parts, and the primary metric's interval by every method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headtohead.report.tables.format import ReportTable, digits

__all__ = ["brier_table", "interval_table"]

_PARTS = ("brier", "reliability", "resolution", "uncertainty", "within_bin")
_METHODS = {
    "percentile": "bootstrap percentile",
    "expanded_percentile": "bootstrap, widened for few groups",
    "bca": "bootstrap BCa",
    "delong_logit": "DeLong (images as units)",
    "obuchowski_logit": "Obuchowski (groups as units)",
}


def brier_table(details: Mapping[str, Any], order: Sequence[str]) -> ReportTable | None:
    """Return the Brier score split into its parts (Murphy 1973; Stephenson et al. 2008)."""
    found = details.get("calibration") or {}
    parts = {name: found[name]["brier_parts"] for name in order if found.get(name, {}).get("brier_parts")}
    if not parts:
        return None
    rows = tuple((name, *(digits(one[part]) for part in _PARTS)) for name, one in parts.items())
    of_whom = "" if details.get("positive") else " Summed over the classes, each against the rest."
    few = dict.fromkeys(found[name]["note"] for name in parts if found[name].get("note"))
    note = (
        "Score = reliability (distance from the observed frequencies, less is better) - resolution (how far "
        "apart the bins lie, more is better) + uncertainty (of the labels alone) + what varies within bins."
        f"{of_whom}{''.join(f' Careful: {word}.' for word in few)}"
    )
    head = ("contender", "Brier score", "reliability", "resolution", "uncertainty", "within bins")
    return ReportTable("The Brier score in parts", note, head, rows)


def interval_table(details: Mapping[str, Any], order: Sequence[str]) -> ReportTable | None:
    """Return the primary metric's interval by the methods that the verdict did not use."""
    found = details.get("intervals") or {}
    tried = [key for key in _METHODS if any(key in found.get(name, {}) for name in order)]
    rows = tuple((name, *(_ends(found[name].get(key)) for key in tried)) for name in order if found.get(name))
    if not tried or not rows:
        return None
    note = "Shown to see whether the choice of method matters; the verdict rests on the interval given first."
    return ReportTable(
        "The primary metric's interval by other methods", note, ("contender", *(_METHODS[key] for key in tried)), rows
    )  # fmt: skip


def _ends(ends: Sequence[float] | None) -> str:
    return "" if ends is None else f"[{digits(ends[0])}, {digits(ends[1])}]"
