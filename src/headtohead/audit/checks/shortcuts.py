"""3xx, shortcuts: what a classifier reaches that never sees the organ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from headtohead.audit.check import Check, Observation, issue, not_applicable, passed, skipped
from headtohead.audit.checks.artifacts import CAST, COLOURED, FRAME
from headtohead.audit.context import PROBE_LIMIT, AuditContext
from headtohead.audit.descriptors.shortcut_probes import ShortcutProbe, file_fact_features
from headtohead.core.formatting import format_percent
from headtohead.core.records import Severity
from headtohead.stats.intervals.auroc_bootstrap import AurocInterval

__all__ = ["CHECKS", "compare_with_shortcuts"]

MARKED = {
    "letters": ("glyphs", 1.0),
    "bright frame": ("frame", FRAME),
    "tint": ("cast", CAST),
    "colour marks": ("coloured", COLOURED),
    # below H2H115's 0.62, which hardly an image reaches: here the classes' shares are compared
    "softness": ("softness", 0.5),
}
_WHAT = {
    "facts": "width, height, bytes, mode, format and suffix alone",
    "thumbnail": "a 16 × 16 thumbnail alone",
    "border": "the outer 6 % border alone",
    "background": "the background alone (foreground painted over)",
}
_ADVICE = {
    "facts": "The classes come from different sources. Keep this probe beside the contenders, believe only "
    "what they add to it, and look for a second data set in which both classes come from one source.",
    "thumbnail": "Part of this can be honest (a large bright lesion shows at 16 × 16). Believe only what the "
    "contenders add to it.",
    "border": "Crop to the foreground (recipe `foreground`) and remove frames, letters and padding; then "
    "audit the cropped images again.",
    "background": "Crop or mask the background (recipe `foreground`), then audit again. The outline of the "
    "foreground is still visible to this probe; an organ that fills the image leaves it little.",
}


def severity_of(low: float) -> Severity:
    """Return how bad a shortcut is, from the lower end of its AUROC interval.

    It invalidates a comparison (severe) where even the lower end is 0.9: then hardly anything is
    left for the organ to add.
    """
    if low >= 0.9:
        return "severe"
    return "warning" if low >= 0.6 else "note"


def _observe(context: AuditContext, kind: str) -> Observation:
    if len(context.dataset.classes) < 2:
        return not_applicable("there is one class only")
    if kind == "facts" and np.ptp(file_fact_features(context.dataset)[0], axis=0).max() == 0:
        return passed("every file has the same width, height, bytes, mode, format and suffix")
    if kind == "background" and all(item.foreground is None for item in context.images.read):
        return not_applicable("no foreground was found in any image, so there is no background apart from it")
    found = context.shortcut(kind)
    data = _data(context, kind, found)
    message = _message(context, kind, found)
    if found.interval.low <= 0.5:
        return passed(message, **data)
    return issue(message, _ADVICE[kind], severity=severity_of(found.interval.low), **data)


def _data(context: AuditContext, kind: str, found: ShortcutProbe) -> dict[str, Any]:
    best = context.settings.best
    return {
        "probe": kind,
        "sees": _WHAT[kind],
        "auroc": found.interval.record(),
        "curve": [list(point) for point in found.curve],
        "best_contender": None if best is None else {"name": best[0], "auroc": best[1]},
    }


def _message(context: AuditContext, kind: str, found: ShortcutProbe) -> str:
    text = (
        f"{_WHAT[kind]} reach AUROC {found.interval}"
        if kind == "facts"
        else (f"{_WHAT[kind]} reaches AUROC {found.interval}")
    )
    text += "; chance is 0.50" if found.interval.low > 0.5 else ", not above chance (0.50)"
    if len(context.probe_rows) < len(context.samples):
        text += f" (on {len(context.probe_rows)} samples of groups drawn at random; limit {PROBE_LIMIT})"
    best = context.settings.best
    if best is not None:
        beaten = "above" if best[1] > found.interval.high else "not clearly above"
        text += f"; the best contender, {best[0]}, with {best[1]:.2f} is {beaten} it"
    return text


def _looker(kind: str) -> Callable[[AuditContext], Observation]:
    def look(context: AuditContext) -> Observation:
        return _observe(context, kind)

    return look


def beaten_by_shortcut(context: AuditContext) -> Observation:
    """Compare the best contender with the best shortcut."""
    best = context.settings.best
    if best is None:
        return skipped(
            "no contender has run yet",
            "Run `headtohead compare`; its report repeats this question with an answer.",
        )
    # a check may pass without a probe, where the files do not differ
    kinds = [
        k for k in _WHAT if _observe(context, k).outcome in ("issue", "passed") and k in context.known_probes
    ]
    return compare_with_shortcuts(best, {k: context.shortcut(k).interval for k in kinds})


def compare_with_shortcuts(best: tuple[str, float], shortcuts: Mapping[str, AurocInterval]) -> Observation:
    """Compare a contender with the best of the shortcuts.

    Args:
        best: (name, AUROC) of the contender.
        shortcuts: "facts", "thumbnail", "border" or "background" -> AUROC with its interval.
    """
    if not shortcuts:
        return not_applicable("no shortcut probe could run")
    worst = max(shortcuts, key=lambda kind: shortcuts[kind].value)
    found = shortcuts[worst]
    text = f"best contender {best[0]} {best[1]:.2f}; best shortcut, {_WHAT[worst]}, {found}"
    if best[1] > found.high:
        # no paired test: the shortcuts have folds of their own
        return passed(
            f"{text}; the contender lies above that interval (the paired test is against file-facts)"
        )
    return issue(
        text,
        "The score is not shown to need the organ, so it supports no claim about the organ.",
    )


def artifacts_by_class(context: AuditContext) -> Observation:
    """Test whether letters, frames, tints or softness go with the class (one image per group)."""
    if len(context.dataset.classes) < 2:
        return not_applicable("there is one class only")
    # reversed, so that the first image of a group is the one that stays
    first = {context.grouping.groups[p.id]: p for p in reversed(context.images.read)}
    found = {}
    for name, (measure, least) in MARKED.items():
        table = [[0, 0] for _ in context.dataset.classes]
        for p in first.values():
            has = bool(p.values[measure] >= least)
            table[context.dataset.classes.index(context.by_id[p.id].label)][int(has)] += 1
        found[name] = _association(table, context.dataset.classes)
    marks = [
        f"{name} (" + ", ".join(f"{c} {format_percent(share)}" for c, share in row["share"].items()) + ")"
        for name, row in sorted(found.items(), key=lambda kv: kv[1]["p"])
        if row["p"] < 0.05 / len(MARKED)  # Bonferroni
    ]
    if not marks:
        near = min(found, key=lambda name: float(found[name]["p"]))
        return passed(
            f"no mark goes with the class beyond chance (nearest: {near}, p = {found[near]['p']:.3f} before correction "
            f"for {len(MARKED)} tests)",
            marks=found,
        )
    return issue(
        f"marks that go with the class: {'; '.join(marks)}; one image per group, p < 0.05 after correction for "
        f"{len(MARKED)} tests",
        "A network may read the mark instead of the organ. Crop to the foreground (recipe `foreground`), and see "
        "whether the heat maps lie on the marks.",
        marks=found,
    )


def _association(table: list[list[int]], classes: tuple[str, ...]) -> dict[str, Any]:
    """Return p of the exact test (two classes) or chi-squared, and each class's share with the mark."""
    from scipy.stats import chi2_contingency, fisher_exact

    with_mark = sum(row[1] for row in table)
    total = sum(map(sum, table))
    share = {c: round(row[1] / max(1, sum(row)), 4) for c, row in zip(classes, table, strict=True)}
    # nothing to test; chi-squared refuses expected counts of 0
    if with_mark in (0, total) or any(sum(row) == 0 for row in table):
        return {"p": 1.0, "share": share}
    counts = np.array(table)
    p = fisher_exact(counts)[1] if len(table) == 2 else chi2_contingency(counts)[1]
    return {"p": float(p), "share": share}


CHECKS = (
    Check(
        "H2H301",
        "File facts tell the label",
        "warning",
        _looker("facts"),
        "A classifier on width, height, bytes, mode, format and suffix, judged on grouped folds.",
    ),
    Check(
        "H2H302",
        "A thumbnail tells the label",
        "warning",
        _looker("thumbnail"),
        "A classifier on 16 x 16 thumbnails: overall brightness and layout, no anatomy in detail.",
    ),
    Check(
        "H2H303",
        "The border tells the label",
        "warning",
        _looker("border"),
        "A classifier on the outer 6 % of the image: frames, letters, padding, watermarks.",
    ),
    Check(
        "H2H304",
        "The background tells the label",
        "warning",
        _looker("background"),
        "A classifier on what lies outside the foreground, which is painted over.",
    ),
    Check(
        "H2H305",
        "A contender does not beat the shortcuts",
        "severe",
        beaten_by_shortcut,
        "The best contender's AUROC against the interval of the best shortcut.",
    ),
    Check(
        "H2H306",
        "Marks go with the class",
        "warning",
        artifacts_by_class,
        "Letters, frames, tints, colour marks and softness, tested against the class, one image per group.",
    ),
)
