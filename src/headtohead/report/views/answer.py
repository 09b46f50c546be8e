"""The first screen of the page: a plain sentence, the numbers, five tiles, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headtohead.core.formatting import pluralize
from headtohead.core.records import Comparison, Score, Verdict
from headtohead.report.tables.direction import metric_sign
from headtohead.report.tables.format import digits, signed_digits

__all__ = ["BASELINES", "answer_view", "heading_of", "metric_title"]

BASELINES = ("majority", "file-facts")
LONGEST = 150  # letters of a heading; a longer sentence is not cut
_WIDE_SLOPE = (
    0.5  # half-width from which an interval holds both half and one and a half times the ideal slope
)
_TITLES = {
    "auroc": "AUROC",
    "auroc_pooled": "AUROC pooled over folds",
    "auroc_fold_mean": "AUROC, mean of folds",
    "partial_auroc": "partial AUROC",
    "brier": "Brier score",
    "ppv": "PPV",
    "npv": "NPV",
    "f1": "F1",
    "mcc": "Matthews correlation",
    "kappa": "Cohen's kappa",
    "sensitivity_at_specificity_90": "sensitivity at specificity 0.9",
    "specificity_at_sensitivity_90": "specificity at sensitivity 0.9",
}


def answer_view(
    verdict: Verdict, audit: Mapping[str, Any], proof: Mapping[str, Any], command: str | None
) -> dict[str, Any]:
    """Return heading, numbers, tiles and the three lines.

    Args:
        verdict: of the run.
        audit: the content of `audit.json`. proof: that of `leak_proof.json`.
        command: trains the contender with the best score; None where there is none.
    """
    head = heading_of(verdict)
    first = _primary(verdict)
    return {
        "heading": head if head.endswith(".") else f"{head}.",
        "numbers": _numbers(verdict, first),
        "sentence": verdict.sentence,
        "tiles": _tiles(verdict, audit, proof),
        "lines": _lines(first),
        "command": None if first is None or first.verdict == "refused" else command,
        "verdict": None if first is None else first.verdict,
        "pair": [] if first is None else [first.a, first.b],
    }


def heading_of(verdict: Verdict) -> str:
    """Return the answer without its numbers, which stand below it."""
    best, refused = verdict.details.best, any(c.verdict == "refused" for c in verdict.comparisons)
    if best is not None and not refused and verdict.comparisons and verdict.comparisons[0].winner is None:
        if len(best.candidates) > 1:
            return f"No single best: {_either(best.candidates)} may be the best."
        return f"{best.highest} is shown to be the best."
    head, _, rest = verdict.sentence.partition(": ")
    return head if rest and len(head) <= LONGEST else verdict.sentence.partition(". ")[0]


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def metric_title(name: str) -> str:
    """Return the metric as a heading has it."""
    return _TITLES.get(name, name.replace("_", " "))


def _primary(verdict: Verdict) -> Comparison | None:
    return verdict.comparisons[0] if verdict.comparisons else None


def _score(verdict: Verdict, contender: str, metric: str) -> Score | None:
    return next((s for s in verdict.scores if (s.contender, s.metric) == (contender, metric)), None)


def _numbers(verdict: Verdict, first: Comparison | None) -> str:
    """Return the line below the heading: both scores, the difference with its interval, size and positive class."""
    if first is None:
        return ""
    parts = []
    values = [_score(verdict, name, first.metric) for name in (first.a, first.b)]
    title = metric_title(first.metric)
    if all(s is not None and s.value is not None for s in values):
        told = [digits(float(s.value)) for s in values if s is not None and s.value is not None]
        parts.append(f"{title} {told[0]} ({first.a}) against {told[1]} ({first.b})")
    if first.difference is not None and first.low is not None and first.high is not None:
        low, high = (signed_digits(end).removeprefix("+") for end in (first.low, first.high))
        gap = signed_digits(first.difference).removeprefix("+")
        parts.append(f"difference {gap}, {100 * first.level:g} % CI {low} to {high}")
    size = f"{pluralize(first.n_samples, 'image')} in {pluralize(first.n_groups, 'group')}"
    parts.append(size)
    if verdict.details.positive:
        parts.append(f"positive class: {verdict.details.positive}")
    return "; ".join(parts) + "."


def _tiles(verdict: Verdict, audit: Mapping[str, Any], proof: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the five things to look at before believing the answer, each with a place to read on."""
    return [_leakage(proof), _floor(verdict), _calibration(verdict), _size(verdict), _warnings(audit)]


def _tile(title: str, value: str, note: str, tone: str, href: str) -> dict[str, str]:
    return {"title": title, "value": value, "note": note, "tone": tone, "href": href}


def _leakage(proof: Mapping[str, Any]) -> dict[str, str]:
    leaks, parts = len(proof.get("leaks", ())), len(proof.get("proof", ()))
    if not proof:
        return _tile("Leakage", "not known", "the run holds no proof", "warning", "#methods")
    if leaks:
        return _tile("Leakage", f"{leaks} found", "the verdict is refused", "severe", "#methods")
    note = f"no group, image or file on both sides in {pluralize(parts, 'split')}"
    return _tile("Leakage", "none", note, "passed", "#methods")


def _floor(verdict: Verdict) -> dict[str, str]:
    score = _score(verdict, "file-facts", verdict.metric)
    if score is None or score.value is None:
        return _tile("File-facts floor", "not measured", "", "note", "#performance")
    pairs = [c for c in verdict.comparisons if "file-facts" in (c.a, c.b) and "majority" not in (c.a, c.b)]
    beaten = any(c.winner not in (None, "file-facts") for c in pairs)
    note = "a contender beats it" if beaten else "no contender is shown to beat it"
    sign = metric_sign(verdict.metric)
    if not beaten and any(
        c.loses_lead_to_adjustment(c.a if c.b == "file-facts" else c.b, sign) for c in pairs
    ):
        note = "a contender leads, but is not shown to beat it after adjustment for several tests"
    value = f"{metric_title(verdict.metric)} {digits(score.value)}"
    return _tile("File facts alone", value, note, "passed" if beaten else "warning", "#data")


def _calibration(verdict: Verdict) -> dict[str, str]:
    names = [name for name in dict.fromkeys(s.contender for s in verdict.scores) if name not in BASELINES]
    slopes = {n: s for n in names if (s := _score(verdict, n, "calibration_slope")) and s.value is not None}
    if not slopes:
        return _tile("Calibration", "not measured", "", "note", "#performance")
    off = [
        n for n, s in slopes.items() if s.low is not None and s.high is not None and not s.low <= 1 <= s.high
    ]
    name, slope = next(iter(slopes.items()))
    value = f"slope {digits(float(slope.value or 0))}"
    if off:
        note, tone = f"Off for {', '.join(off)}", "warning"
    elif any(_wide(s) for s in slopes.values()):
        note, tone = "No interval excludes 1, but some are wide", "note"
    else:
        note, tone = "No interval excludes 1", "passed"
    return _tile("Calibration", value, f"of {name}; 1 is ideal. {note}", tone, "#calibration")


def _wide(slope: Score) -> bool:
    return slope.low is None or slope.high is None or (slope.high - slope.low) / 2 > _WIDE_SLOPE


def _size(verdict: Verdict) -> dict[str, str]:
    power = verdict.comparisons[0].details.power if verdict.comparisons else None
    if power is None or power.detectable_difference is None:
        return _tile("Size", "not known", "no power analysis", "note", "#methods")
    gap = digits(power.detectable_difference)
    note = f"is the smallest difference that a set of this size and spread shows {100 * power.power:g} % of the time"
    return _tile(
        "Size", gap, note, "passed" if power.detectable_difference <= 0.05 else "warning", "#subgroups"
    )


def _warnings(audit: Mapping[str, Any]) -> dict[str, str]:
    counts = audit.get("counts", {})
    severe, warnings = counts.get("severe", 0), counts.get("warning", 0)
    tone = "severe" if severe else "warning" if warnings else "passed"
    value = f"{severe} severe, {pluralize(warnings, 'warning')}"
    return _tile("Data audit", value, f"{pluralize(counts.get('passed', 0), 'check')} passed", tone, "#data")


def _lines(first: Comparison | None) -> list[tuple[str, str]]:
    """Return what the answer means, what it does not mean, and what to do next."""
    if first is None:
        return []
    return [
        ("What it means", _meaning(first)),
        (
            "What it does not mean",
            "That one kind of architecture is better than another, or that the numbers hold at another hospital: each "
            "contender is one package of network, pretraining and input size, measured on images from one source.",
        ),
        ("What to do next", _next(first)),
    ]


def _meaning(first: Comparison) -> str:
    loser = first.b if first.winner == first.a else first.a
    why = f": {first.details.refusal}" if first.details.refusal else ""
    words = {
        "better": f"On images like these, {first.winner} separates the classes better than {loser}.",
        "equivalent": "The two differ by less than the margin set beforehand; choose the cheaper one.",
        "no_evidence": f"Between {first.a} and {first.b} no difference is shown, and one larger than the interval's "
        "ends is unlikely. Choose by cost, speed and calibration.",
        "cannot_tell": "The interval is too wide for an answer: either could be the better one. Do not choose on the "
        "decimals.",
        "refused": f"The conditions of a fair comparison do not hold{why}. So no winner is named, whatever the "
        "numbers.",
    }
    return words[first.verdict]


def _next(first: Comparison) -> str:
    if first.verdict == "refused":
        return "Read the data audit below; fix the data, then run again."
    if first.verdict == "cannot_tell":
        return "Collect more groups, or choose by cost and speed; then test the choice on images from another place."
    return "Test the choice on images from another place before any use: no cross-validation replaces that."
