"""The points of a figure as CSV: named lines alone, in its own words, safe for any name."""

from __future__ import annotations

import csv

from tests.planting.reported import HOSTILE

from headtohead.core.tables.comparison import RocCurve
from headtohead.report.figures import plot_roc
from headtohead.report.views.comparison_figures import svg_figure


def test_a_figure_carries_the_points_of_its_named_lines() -> None:
    curve = RocCurve(false_positive_rate=(0.0, 0.25, 1.0), true_positive_rate=(0.0, 0.7, 1.0))
    (figure,) = svg_figure("ROC", plot_roc({HOSTILE: curve}))
    rows = list(csv.reader(figure.csv.splitlines()))
    assert rows[0] == ["series", "1 − specificity", "sensitivity"]
    assert rows[1:] == [[HOSTILE, "0", "0"], [HOSTILE, "0.25", "0.7"], [HOSTILE, "1", "1"]], (
        "chance has no name"
    )
    assert svg_figure("nothing", None) == ()
