"""5xx, size: what this number of images can show at all, counted in groups."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from headtohead.audit.check import Check, Observation, issue, not_applicable, passed
from headtohead.audit.context import AuditContext
from headtohead.core.formatting import format_percent
from headtohead.stats.decision.conformal import fewest_groups
from headtohead.stats.hypothesis.power import (
    hanley_mcneil_error,
    smallest_accuracy_difference,
    smallest_auroc_difference,
)
from headtohead.stats.intervals.proportions import wilson_interval

__all__ = [
    "CHECKS",
]

FOLDS = 5  # the default of a comparison
PER_TEST_FOLD = 5  # groups of each class in a test part: fewer leave a fold that one case decides
CALIBRATION = (
    100  # cases of each class: at least 100 events and 100 others (Vergouwe et al., J Clin Epidemiol 2005)
)
WIDE = 0.10  # half-width of an interval: a difference of 0.10 between contenders is lost in it


def _groups_per_class(context: AuditContext) -> dict[str, int]:
    return {
        c: len({context.grouping.groups[s.id] for s in context.samples if s.label == c})
        for c in context.dataset.classes
    }


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{c} {n}" for c, n in counts.items())


def enough_for_folds(context: AuditContext) -> Observation:
    """Compare groups per class with what five folds need."""
    counts = _groups_per_class(context)
    least = min(counts.values())
    data: dict[str, Any] = {"groups": counts, "needed": FOLDS * PER_TEST_FOLD}
    if least >= FOLDS * PER_TEST_FOLD:
        return passed(f"groups per class: {_told(counts)}; enough for {FOLDS} folds", **data)
    return issue(
        f"groups per class: {_told(counts)}; {FOLDS} folds with {PER_TEST_FOLD} of each class in every test part "
        f"need {FOLDS * PER_TEST_FOLD}",
        "Use fewer folds and more repeats, join classes with --map-labels, or get more cases of the small class.",
        severity="severe" if least < FOLDS else None,
        **data,
    )


def enough_for_intervals(context: AuditContext) -> Observation:
    """Say how wide the interval of a good score will be."""
    counts = _groups_per_class(context)
    total, least = len(context.group_sizes), min(counts.values())
    if len(counts) < 2 or least == 0:
        return not_applicable("needs two classes with samples")
    low, high = wilson_interval(0.9 * total, total)
    accuracy = (high - low) / 2
    # total - least is 0 where every group holds samples of the smallest class
    area = NormalDist().inv_cdf(0.975) * hanley_mcneil_error(0.9, least, max(1, total - least))
    text = (
        f"with {total} groups an accuracy of 0.90 will be known to about ±{accuracy:.3f}, "
        f"an AUROC of 0.90 to ±{area:.3f}"
    )
    data: dict[str, Any] = {"accuracy": round(accuracy, 4), "auroc": round(area, 4), "n_groups": total}
    if max(accuracy, area) <= WIDE:
        return passed(text, **data)
    return issue(text, "Too wide to rank good models. Report the interval first, the number second.", **data)


def enough_for_calibration(context: AuditContext) -> Observation:
    """Compare groups per class with what judging calibration needs."""
    counts = _groups_per_class(context)
    least = min(counts.values())
    text = f"groups per class: {_told(counts)}; judging calibration takes about {CALIBRATION} of each"
    data: dict[str, Any] = {
        "groups": counts,
        "needed": CALIBRATION,
        "source": "Collins et al., Stat Med 2016",
    }
    if least >= CALIBRATION:
        return passed(text, **data)
    return issue(text, "Read calibration curves of this set as rough; their bands will be wide.", **data)


def enough_for_conformal(context: AuditContext) -> Observation:
    """Compare groups per class with what conformal prediction sets need."""
    counts = _groups_per_class(context)
    # four fifths of the groups train, and one of their inner folds calibrates
    held_out = {c: int(n * 0.8 / FOLDS) for c, n in counts.items()}
    need = {level: fewest_groups(1 - level) for level in (0.90, 0.95, 0.99)}
    least = min(held_out.values())
    reach = [level for level, n in need.items() if least >= n]
    text = (
        f"an inner fold will hold about {least} groups of the smallest class; sets by class need "
        + ", ".join(f"{n} for {format_percent(level)}" for level, n in need.items())
    )
    data: dict[str, Any] = {"held_out": held_out, "needed": {str(k): v for k, v in need.items()}}
    if 0.95 in reach:
        return passed(text, **data)
    advice = (
        f"Ask for {format_percent(max(reach))} at most."
        if reach
        else "Do not ask for prediction sets by class on this data."
    )
    return issue(text, advice, **data)


def _curve(share: float) -> list[list[float]]:
    """Return [groups, smallest AUROC difference] for growing sets with the same share of the small class."""
    sizes = (50, 100, 200, 400, 800, 1600, 3200)
    split = {n: min(max(2, round(n * share)), n - 2) for n in sizes}
    return [[n, round(smallest_auroc_difference(0.9, split[n], n - split[n]), 4)] for n in sizes]


def smallest_difference(context: AuditContext) -> Observation:
    """Say which differences of two contenders this data could show."""
    counts = _groups_per_class(context)
    total, least = len(context.group_sizes), min(counts.values())
    if len(counts) < 2 or least == 0:
        return not_applicable("needs two classes with samples")
    areas = {a: smallest_auroc_difference(a, least, max(1, total - least)) for a in (0.80, 0.90, 0.95)}
    shares = {d: smallest_accuracy_difference(d, total) for d in (0.05, 0.10, 0.20)}
    text = (
        f"with {total} groups, differences under {areas[0.90]:.3f} in AUROC (near 0.90) or {shares[0.10]:.3f} in "
        "accuracy (models that disagree on 10 %) will mostly not be shown (power 80 %, level 5 %)"
    )
    data: dict[str, Any] = {
        "auroc": {str(k): round(v, 4) for k, v in areas.items()},
        "accuracy": {str(k): round(v, 4) for k, v in shares.items()},
        "curve": _curve(least / total),
        "source": "Hanley and McNeil 1982, 1983; Connor 1987; groups counted as the independent cases",
    }
    if areas[0.90] <= 0.02:
        return passed(text, **data)
    return issue(
        text, "Published differences smaller than this are within chance on a set of this size.", **data
    )


def effective_groups(context: AuditContext) -> Observation:
    """Say when a few groups make up most of the set."""
    sizes = np.array(sorted(context.group_sizes.values(), reverse=True), dtype=np.float64)
    effective = float(sizes.sum() ** 2 / (sizes**2).sum())
    largest = float(sizes[0] / sizes.sum())
    data: dict[str, Any] = {
        "effective": round(effective, 1),
        "largest_share": round(largest, 4),
        "n_groups": len(sizes),
    }
    text = f"{len(sizes)} groups count for about {effective:.0f} of equal size (Kish 1965)"
    # Of few groups each holds a large share; one dominates where it holds twice its even share.
    if effective >= 0.5 * len(sizes) and largest <= max(0.1, 2 / len(sizes)):
        return passed(f"{text}; the largest holds {format_percent(largest, 1)} of the samples", **data)
    biggest = max(context.group_sizes, key=lambda name: (context.group_sizes[name], name))
    return issue(
        f"{text}; the largest, {biggest!r}, holds {format_percent(largest)} of the samples",
        "See in groups.csv whether the large group is right. If it is, keep a few samples of each group, or expect "
        "wide intervals: groups count, not images.",
        samples=[i for i in context.ids.tolist() if context.grouping.groups[i] == biggest][:50],
        **data,
    )


CHECKS = (
    Check(
        "H2H501",
        "Groups per class for folds",
        "warning",
        enough_for_folds,
        "At least 25 groups of each class for 5 folds.",
    ),
    Check(
        "H2H502",
        "Width of intervals",
        "warning",
        enough_for_intervals,
        "Expected 95 % half-widths at 0.90, by groups.",
    ),
    Check(
        "H2H503", "Size for calibration", "note", enough_for_calibration, "About 100 groups of each class."
    ),
    Check(
        "H2H504",
        "Size for prediction sets",
        "note",
        enough_for_conformal,
        "Groups per class of an inner fold.",
    ),
    Check(
        "H2H505", "Smallest difference shown", "note", smallest_difference, "Power 80 % at level 5 %, paired."
    ),
    Check(
        "H2H506", "A few groups dominate", "warning", effective_groups, "Kish's effective number of groups."
    ),
)
