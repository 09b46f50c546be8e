"""One figure of a run as a file for a paper: SVG, PDF or PNG."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from headtohead.core.errors import UndefinedMetricError, unknown_name
from headtohead.core.records import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FORMATS", "figure_bytes", "figure_names"]

FORMATS = ("svg", "pdf", "png")
DPI = 300  # of PNG, what journals ask for


def figure_names() -> list[str]:
    """Return the names of the figures."""
    return sorted(_MAKERS)


def figure_bytes(verdict: Verdict, name: str, kind: str) -> bytes:
    """Return a figure as the content of a file.

    Args:
        verdict: of a run.
        name: of a figure, as from `figure_names`. kind: "svg", "pdf" or "png".

    Raises:
        UnknownNameError: no such figure or format.
        UndefinedMetricError: the run has nothing to draw there.
    """
    import matplotlib as mpl

    if name not in _MAKERS:
        raise unknown_name("figure", name, _MAKERS)
    if kind not in FORMATS:
        raise unknown_name("format", kind, FORMATS)
    order = list(dict.fromkeys(score.contender for score in verdict.scores))
    axes = _MAKERS[name](verdict, order)
    if axes is None:
        raise UndefinedMetricError(f"This run has nothing to draw for {name!r}. Known: {', '.join(_MAKERS)}.")
    out = io.BytesIO()
    # Text stays text in SVG and PDF, and the same run gives the same bytes.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "headtohead", "pdf.fonttype": 42}):
        dated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[kind]
        axes.figure.savefig(out, format=kind, dpi=DPI, bbox_inches="tight", facecolor="white", metadata=dated)
    return out.getvalue()


def _roc(verdict: Verdict, order: Sequence[str]) -> Axes | None:
    from headtohead.report.figures import plot_roc

    label = verdict.details.positive or next(iter(verdict.details.classes), "")
    # a constant answer has the diagonal alone
    curves = {n: by[label] for n, by in verdict.details.roc.items() if label in by and n != "majority"}
    return plot_roc(curves, order=order) if curves else None


def _precision_recall(verdict: Verdict, order: Sequence[str]) -> Axes | None:
    from headtohead.report.figures import plot_precision_recall

    label = verdict.details.positive or next(iter(verdict.details.classes), "")
    curves = {
        n: by[label] for n, by in verdict.details.precision_recall.items() if label in by and n != "majority"
    }
    return plot_precision_recall(curves, order=order) if curves else None


def _calibration(verdict: Verdict, order: Sequence[str]) -> Axes | None:
    from headtohead.report.figures import plot_calibration

    curves = {n: c for n, c in verdict.details.calibration.items() if n != "majority" and c.bins}
    return plot_calibration(curves, order=order) if curves else None


def _decision(verdict: Verdict, order: Sequence[str]) -> Axes | None:
    from headtohead.report.figures import plot_decision_curve

    curves = verdict.details.decision_curves
    return plot_decision_curve(curves, order=order) if curves is not None and curves.contenders else None


def _differences(verdict: Verdict, order: Sequence[str]) -> Axes | None:
    from headtohead.report.figures import plot_differences

    del order
    pairs = [
        c for c in verdict.comparisons if c.low is not None and not {c.a, c.b} & {"majority", "file-facts"}
    ]
    return plot_differences(pairs, rope=pairs[0].details.rope) if pairs else None


def _scores(verdict: Verdict, order: Sequence[str]) -> Axes | None:
    from headtohead.report.figures import plot_scores

    scores = [score for score in verdict.scores if score.metric == verdict.metric]
    return plot_scores(scores, order=order) if scores else None


def _ranks(verdict: Verdict, order: Sequence[str]) -> Axes | None:
    from headtohead.report.figures import plot_rank_diagram

    return None if verdict.details.ranks is None else plot_rank_diagram(verdict.details.ranks, order=order)


_MAKERS: dict[str, Callable[[Verdict, Sequence[str]], Any]] = {
    "calibration": _calibration,
    "decision": _decision,
    "differences": _differences,
    "precision-recall": _precision_recall,
    "ranks": _ranks,
    "roc": _roc,
    "scores": _scores,
}
