"""Figures for the report and for notebooks: each takes tidy data, draws into Axes and returns them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headtohead.report.figures.style import INK, MUTED, new_axes, series_colour, to_svg

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_calibration", "plot_differences", "plot_roc", "to_svg"]

LONGEST = 46  # characters of a pair's name before its middle is left out


def plot_differences(comparisons: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw paired differences with their intervals, zero marked.

    Args:
        comparisons: columns a, b, metric, difference, low, high; rows without a defined difference are left out.
        ax: where to draw; new Axes if None.

    Returns:
        the Axes, the first comparison on top.
    """
    defined = [
        (str(a), str(b), float(value), float(low), float(high))
        for a, b, value, low, high in comparisons[["a", "b", "difference", "low", "high"]].dropna().to_numpy()
    ]
    n = len(defined)
    ax = ax or new_axes(7.2, 1.0 + 0.42 * max(n, 1))
    places = range(n - 1, -1, -1)
    for place, (_, _, value, low, high) in zip(places, defined, strict=True):
        clear = low > 0 or high < 0
        ax.plot(
            [low, high],
            [place, place],
            color=series_colour(0),
            linewidth=2.2,
            alpha=1 if clear else 0.55,
        )
        ax.plot(value, place, "o", color=series_colour(0), markersize=6)
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks(list(places), [shorten(f"{a} − {b}", LONGEST) for a, b, *_ in defined])
    ax.set_ylim(-0.6, n - 0.4)
    ax.grid(axis="y", visible=False)
    metric = name_of(str(comparisons["metric"].iloc[0])) if n else "the metric"
    ax.set_xlabel(f"difference in {metric} (95% interval)\nabove 0 favours the first of the pair")
    return ax


def plot_roc(
    curves: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]],
    auroc: Mapping[str, float],
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw ROC curves.

    Args:
        curves: contender -> class -> `false_positive_rate` and `true_positive_rate`, both in [0, 1].
        auroc: contender -> area, for the legend; contenders may be missing.
        ax: where to draw; new Axes if None.

    Returns:
        the Axes; with more than two classes one line per class, dashed from the second class on.
    """
    ax = ax or new_axes(5.2, 5.0)
    ax.plot([0, 1], [0, 1], color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
    for index, (name, classes) in enumerate(curves.items()):
        for number, (label, one) in enumerate(classes.items()):
            area = auroc.get(name)
            words = shorten(name, LONGEST) + (f", {label}" if len(classes) > 1 else "")
            if area is not None and area == area and len(classes) == 1:
                words += f" ({area:.3f})"
            style = "-" if number == 0 else (0, (2 + number, 2))
            points = (one["false_positive_rate"], one["true_positive_rate"])
            ax.plot(*points, color=series_colour(index), linestyle=style, label=words)
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="1 − specificity", ylabel="sensitivity")
    ax.legend(loc="lower right", fontsize=9)
    return ax


def plot_calibration(curves: Mapping[str, Mapping[str, Any]], *, ax: Axes | None = None) -> Axes:
    """Draw calibration curves with the interval of each bin.

    Args:
        curves: contender -> `bins`, each with `mean_probability` and `observed` (value, low, high).
        ax: where to draw; new Axes if None.

    Returns:
        the Axes, the line of perfect calibration dashed.
    """
    ax = ax or new_axes(5.2, 5.0)
    ax.plot([0, 1], [0, 1], color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
    for index, (name, curve) in enumerate(curves.items()):
        bins = [one for one in curve.get("bins", ()) if one["observed"]["value"] is not None]
        x = [one["mean_probability"] for one in bins]
        ax.plot(x, [one["observed"]["value"] for one in bins], "o-", color=series_colour(index), markersize=4,
                label=shorten(name, LONGEST))  # fmt: skip
        bounded = [one for one in bins if one["observed"]["low"] is not None]
        ax.fill_between(
            [one["mean_probability"] for one in bounded],
            [one["observed"]["low"] for one in bounded],
            [one["observed"]["high"] for one in bounded],
            color=series_colour(index), alpha=0.12, linewidth=0,
        )  # fmt: skip
    ax.set(
        xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="predicted probability", ylabel="observed frequency"
    )
    ax.legend(loc="upper left", fontsize=9)
    return ax


def name_of(metric: str) -> str:
    """Return a metric's name as it stands in a figure."""
    return "AUROC" if metric == "auroc" else metric.replace("_", " ")


def shorten(text: str, longest: int) -> str:
    """Leave the middle out of a long text.

    >>> shorten("efficientnet-lite0", 9)
    'effi…ite0'
    """
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[:half]}…{text[-half:]}"
