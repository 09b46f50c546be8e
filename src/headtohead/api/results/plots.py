"""Figures of a run, drawn from its files: thin over the figure functions that the report uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from headtohead.api.arguments import names_of
from headtohead.core.errors import unknown_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from headtohead.core.records import Verdict

__all__ = ["RunPlots"]

SQUARE = (5.2, 5.0)  # inches; room for the legend inside


def shown_axes(width: float, height: float) -> Axes:
    """Return new Axes of pyplot, which a notebook shows under the cell.

    Args:
        width, height: in inches.
    """
    from matplotlib import pyplot

    return pyplot.figure(figsize=(width, height), layout="constrained").add_subplot()


class RunPlots:
    """The figures of a run; each method draws into given Axes or new ones and returns them."""

    def __init__(self, verdict: Verdict, comparisons: pd.DataFrame, scores: pd.DataFrame) -> None:
        self._verdict, self._comparisons, self._scores = verdict, comparisons, scores

    def differences(self, *, ax: Axes | None = None) -> Axes:
        """Draw the paired differences with their intervals.

        Args:
            ax: where to draw; new Axes if None.

        Returns:
            the Axes, zero marked, one row per pair.
        """
        from headtohead.report.figures import plot_differences

        height = 1.0 + 0.6 * len(self._comparisons)
        return plot_differences(self._comparisons, ax=ax or shown_axes(7.2, height))

    def roc(self, contenders: str | Iterable[str] | None = None, *, ax: Axes | None = None) -> Axes:
        """Draw ROC curves, pooled over folds and averaged over repeats.

        Args:
            contenders: names, as a list or with commas; all of them if None.
            ax: where to draw; new Axes if None.

        Returns:
            the Axes, with false positive rate against true positive rate of each contender (beyond two classes, of
            each class against the rest).

        Raises:
            UnknownNameError: no such contender.
        """
        from headtohead.report.figures import plot_roc

        curves, positive = self._verdict.details.roc, self._verdict.details.positive
        of_auroc = self._scores[self._scores["metric"] == "auroc"]
        auroc = dict(zip(of_auroc["contender"].astype(str), of_auroc["value"].astype(float), strict=True))
        named = {}
        for name in self._names(contenders, curves):
            for label, curve in curves[name].items():
                # Beyond two classes the AUROC is a mean over the classes, not that of one curve.
                which = f" ({auroc[name]:.3f})" if positive else f", {label} against the rest"
                named[f"{name}{which}"] = curve
        axes = plot_roc(named, ax=ax or shown_axes(*SQUARE))
        if positive:
            axes.set_title(f"positive class: {positive}")
        return axes

    def calibration(self, contenders: str | Iterable[str] | None = None, *, ax: Axes | None = None) -> Axes:
        """Draw calibration curves: mean predicted probability against observed frequency, with intervals.

        Args:
            contenders: names, as a list or with commas; all of them if None.
            ax: where to draw; new Axes if None.

        Returns:
            the Axes, the line of perfect calibration dashed.

        Raises:
            UnknownNameError: no such contender.
        """
        from headtohead.report.figures import plot_calibration

        curves = self._verdict.details.calibration
        return plot_calibration(
            {name: curves[name] for name in self._names(contenders, curves)}, ax=ax or shown_axes(*SQUARE)
        )

    def _names(self, contenders: str | Iterable[str] | None, known: Iterable[str]) -> list[str]:
        names = list(known) if contenders is None else list(names_of(contenders, "contenders"))
        for name in names:
            if name not in known:
                raise unknown_name("contender", name, list(known))
        return names
