"""Supplementary tables of a verdict: operating points, recalibration, conformal sets, ranks, variance, subgroups."""

from __future__ import annotations

from collections.abc import Sequence

from headtohead.core.formatting import format_percent
from headtohead.core.tables.details import VerdictDetails
from headtohead.report.tables.format import (
    ReportTable,
    digits,
    format_estimate,
    nearest,
    p_words,
    signed_digits,
)
from headtohead.report.tables.score_parts import brier_table, difference_table, interval_table, undefined_rows

__all__ = ["supplement_tables"]

_MAX_CLASSES = 4  # with more, coverage by class makes the table too wide
_MAX_PREVALENCE_SHARE = 0.9  # a prevalence above it is no screening question
_PREVALENCE_FACTORS = (0.5, 1.0, 2.0, 4.0)  # half to four times that of the sample
_COVERAGES = (0.5, 0.8, 0.9, 1.0)  # shares of cases answered
_BASELINE = "majority"
_SOURCES = {
    "sd_contender": "contenders (between them)",
    "sd_group": "groups (another draw of patients)",
    "sd_repeat": "repeats (another seed and split)",
    "sd_fold": "folds (within one repeat; mostly their small size)",
}
_RECALIBRATIONS = {
    "temperature": "temperature",
    "platt": "Platt",
    "isotonic": "isotonic",
    "venn_abers": "Venn-Abers",
}


def supplement_tables(details: VerdictDetails, order: Sequence[str]) -> tuple[ReportTable, ...]:
    """Return the tables that the verdict's details can fill, in reading order.

    Args:
        details: of a verdict. order: contenders from top to bottom.
    """
    makers = (
        difference_table, _gains, _budget, _operating_points, _net_benefit, _subgroups, brier_table, _recalibration,
        _conformal, _risk_coverage, _ranks, _critical_difference, _variance, interval_table,
    )  # fmt: skip
    tables = (maker(details, order) for maker in makers)
    return tuple(table for table in tables if table is not None)


def _gains(details: VerdictDetails, order: Sequence[str]) -> ReportTable | None:
    del order
    rows = tuple(
        (g.contender, g.member, signed_digits(g.gain), f"{signed_digits(g.low)} to {signed_digits(g.high)}")
        for g in details.gains or ()
    )
    note = "Over the member that came out best, which favours the member; the interval is that of the pair."
    head = ("ensemble", "best member", "gain", "interval")
    return ReportTable("Ensemble gain", note, head, rows) if rows else None


def _budget(details: VerdictDetails, order: Sequence[str]) -> ReportTable | None:
    budget = details.budget
    if budget is None:
        return None
    rows = tuple(
        (name, str(min(counts)), str(max(counts)), str(sum(counts)))
        for name in order
        if (counts := budget.trials.get(name))
    )
    note = f"Each contender could spend {budget.stated}; all tuning was inside inner folds."
    head = ("contender", "fewest trials in a cell", "most", "in all")
    return ReportTable("Tuning budget", note, head, rows)


def _operating_points(details: VerdictDetails, order: Sequence[str]) -> ReportTable | None:
    rates = {"sensitivity": "sensitivity", "specificity": "specificity", "ppv": "PPV", "npv": "NPV"}
    points = details.operating_points
    rebased = any(one.at_prevalence for point in points.values() for one in point.contenders.values())
    rows = []
    for point in points.values():
        for name in order:
            scores = point.contenders.get(name)
            if scores is None or not scores.scores or name == _BASELINE:
                continue
            values = {score.metric: format_estimate(score) for score in scores.scores}
            there = scores.at_prevalence
            at = (format_estimate(there.ppv), format_estimate(there.npv)) if there else ("", "")
            chosen = _thresholds(scores.thresholds)
            rows.append(
                (
                    point.chosen_for,
                    name,
                    chosen,
                    *(values.get(m, "") for m in rates),
                    *(at if rebased else ()),
                )
            )
    if not rows:
        return None
    note = (
        "Each threshold but 0.5 was chosen on inner folds of the training part, then applied to the test "
        "predictions; given are their mean and range over folds and repeats."
    )
    if len(points) == 1:
        note = "One threshold, fixed beforehand: without inner predictions no other could be chosen."
    columns: tuple[str, ...] = ("chosen for", "contender", "threshold", *rates.values())
    if rebased and details.decision_curves is not None:
        share = f"{details.decision_curves.prevalence:.3g}"
        columns += (f"PPV at {share}", f"NPV at {share}")
        note += f" The last two columns are for a prevalence of {share}."
    if details.positive:
        note += f" The positive class is '{details.positive}': sensitivity and PPV are its own."
    return ReportTable("Operating points", note, columns, tuple(rows))


def _thresholds(chosen: Sequence[Sequence[float]] | None) -> str:
    """Return mean and range of the thresholds that the folds chose; 0.5 where it was fixed beforehand."""
    values = [value for repeat in chosen or () for value in repeat]
    if not values:
        return "0.50"
    return f"{sum(values) / len(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _net_benefit(details: VerdictDetails, order: Sequence[str]) -> ReportTable | None:
    """Return net benefit with intervals at the thresholds next to 1/2, 1, 2 and 4 times the prevalence."""
    curves = details.decision_curves
    names = [name for name in order if curves and name in curves.contenders and name != _BASELINE]
    if curves is None or not names:
        return None
    xs, share = curves.thresholds, curves.prevalence
    at = sorted({nearest(xs, f * share) for f in _PREVALENCE_FACTORS if f * share <= _MAX_PREVALENCE_SHARE})
    rows: list[tuple[str, ...]] = [
        (name, *(format_estimate(curves.contenders[name][i]) for i in at)) for name in names
    ]
    rows += undefined_rows(details, order, 1 + len(at))
    rows.append(("treat all", *(digits(curves.treat_all[i]) for i in at)))
    rows.append(("treat none", *(digits(curves.treat_none[i]) for i in at)))
    rebased = f" {curves.note[0].upper()}{curves.note[1:]}." if curves.note else ""
    positive = f" The positive class is '{details.positive}'." if details.positive else ""
    note = (
        f"At a prevalence of {share:.3g}: true positives per image, minus false positives weighted by the odds of the "
        f"threshold.{rebased}{positive}"
    )
    return ReportTable(
        "Net benefit", note, ("contender", *(f"at threshold {xs[i]:.3g}" for i in at)), tuple(rows)
    )


def _recalibration(details: VerdictDetails, order: Sequence[str]) -> ReportTable | None:
    by_name = {n: details.recalibration[n] for n in order if n in details.recalibration and n != _BASELINE}
    methods = [m for m in _RECALIBRATIONS if any(m in one.methods for one in by_name.values())]
    if not methods:
        return None
    widths = any(one.venn_abers_width is not None for one in by_name.values())
    rows = tuple(
        (
            name,
            *(
                format_estimate(one.methods[m].log_loss_change) if m in one.methods else "not done"
                for m in methods
            ),
            *((format_estimate(one.venn_abers_width),) if widths else ()),
        )
        for name, one in by_name.items()
    )
    about: dict[str, list[str]] = {}
    for name, one in by_name.items():
        for told in one.notes:
            about.setdefault(told, []).append(name)
    warnings = [w if len(who) == len(by_name) else f"{', '.join(who)}: {w}" for w, who in about.items()]
    note = (
        "Change of the log loss on the test predictions after a recalibration fitted on inner folds; "
        f"below 0 is better.{''.join(f' Caution: {word}.' for word in warnings)}"
    )
    last = ("distance of Venn-Abers' two probabilities",) if widths else ()
    head = ("contender", *(_RECALIBRATIONS[m] for m in methods), *last)
    return ReportTable("Recalibration", note, head, rows)


def _conformal(details: VerdictDetails, order: Sequence[str]) -> ReportTable | None:
    if details.conformal is None:
        return None
    sets = {
        name: details.conformal.contenders[name]
        for name in order
        if name in details.conformal.contenders and name != _BASELINE
    }
    # A table in which each row says the same says nothing.
    if not sets or all("no inner predictions" in (one.refused or "") for one in sets.values()):
        return None
    classes = details.classes if len(details.classes) <= _MAX_CLASSES else ()
    rows = []
    for name, one in sets.items():
        values = (one.coverage, *map(one.by_class.get, classes), one.mean_size, one.singletons)
        cells = tuple(format_estimate(value) for value in (*values, one.singletons_right))
        refused = (f"refused: {one.refused}", *[""] * (len(cells) - 1))
        rows.append((name, *(cells if one.refused is None else refused)))
    note = (
        f"Sets made to contain the true class in {format_percent(1 - details.conformal.alpha)} of images, per class, "
        "cross-fitted on groups. An image with more than one class in its set is left to a person."
    )
    each = [f"coverage of {name}" for name in classes]
    head = ("contender", "coverage", *each, "mean size", "single answers", "of them right")
    return ReportTable("Conformal sets", note, head, tuple(rows))


def _risk_coverage(details: VerdictDetails, order: Sequence[str]) -> ReportTable | None:
    curves = {n: details.risk_coverage[n] for n in order if n in details.risk_coverage and n != _BASELINE}
    rows: list[tuple[str, ...]] = []
    for name, curve in curves.items():
        answered = [point.kept for point in curve.points]
        cells = (format_estimate(curve.points[nearest(answered, share)].risk) for share in _COVERAGES)
        rows.append((name, *cells))
    if rows:
        rows += undefined_rows(details, order, 1 + len(_COVERAGES))
    note = "Error rate among the images that are answered when the least sure are left to a person."
    head = ("contender", *(f"{format_percent(share)} answered" for share in _COVERAGES))
    return ReportTable("Selective prediction (risk–coverage)", note, head, tuple(rows)) if rows else None


def _ranks(details: VerdictDetails, order: Sequence[str]) -> ReportTable | None:
    ranks = details.ranks.contenders if details.ranks else {}
    rows = tuple(
        (name, f"{r.rank:.0f}", f"{r.low:.0f} to {r.high:.0f}", format_percent(r.share_first))
        for name in order
        if (r := ranks.get(name)) and r.low is not None and r.high is not None and r.share_first is not None
    )
    if len(rows) < 3:
        return None
    note = "How often another draw of patients would have led to another order."
    head = ("contender", "rank", "95 % of resamples", "first in")
    return ReportTable("Ranks under the bootstrap", note, head, rows)


def _critical_difference(details: VerdictDetails, order: Sequence[str]) -> ReportTable | None:
    test = details.critical_difference
    if test is None or test.critical_difference is None or len(ranks := test.mean_ranks or {}) < 3:
        return None
    note = (
        f"Mean over {test.n_folds} folds, 1 the best. The folds share training samples, so this shows how consistent "
        "the order is and tests nothing; the paired differences decide."
    )
    names = sorted((name for name in ranks if name in order), key=lambda name: ranks[name])
    rows = tuple((name, f"{ranks[name]:.2f}") for name in names)
    return ReportTable("Ranks over folds", note, ("contender", "mean rank"), rows)


def _variance(details: VerdictDetails, order: Sequence[str]) -> ReportTable | None:
    del order
    if details.variance is None:
        return None
    values = {words: getattr(details.variance, field) for field, words in _SOURCES.items()}
    rows = tuple((words, f"{value:.3f}") for words, value in values.items() if value is not None)
    note = (
        "Standard deviation of the primary metric by source: how far a second study could differ by chance."
    )
    return ReportTable("Variance components", note, ("source", "standard deviation"), rows) if rows else None


def _subgroups(details: VerdictDetails, order: Sequence[str]) -> ReportTable | None:
    rows = []
    for column, table in details.subgroups.items():
        for value, subgroup in table.values.items():
            size = f"{subgroup.n_samples} in {subgroup.n_groups}"
            if subgroup.too_few is not None:
                rows.append((column, value, size, "all", subgroup.too_few, "", ""))
            for name in order:
                if (one := subgroup.contenders.get(name)) is not None:
                    p = "" if one.p_holm is None else p_words(one.p_holm)
                    cells = (format_estimate(one.score), format_estimate(one.difference), p)
                    rows.append((column, value, size, name, *cells))
            if (pair := subgroup.pair) is not None:
                p = "" if pair.p_holm is None else p_words(pair.p_holm)
                cells = (format_estimate(pair.difference), format_estimate(pair.interaction), p)
                rows.append((column, value, size, f"{pair.a} − {pair.b}", *cells))
    if not rows:
        return None
    note = (
        "Differences are against all other images; p is adjusted (Holm) over the values and contenders of a column, "
        "since many subgroups find differences by chance; of two values one is tested, as both are one contrast. "
        "The last lines ask whether the difference between two contenders is another one there (interaction)."
    )
    head = (
        "column", "value", "images in groups", "contender", "score", "difference from the rest", "adjusted p",
    )  # fmt: skip
    return ReportTable("Subgroups", note, head, tuple(rows))
