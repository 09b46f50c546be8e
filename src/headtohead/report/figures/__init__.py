"""Figure functions of the report and the Python interface: data in, matplotlib Axes out."""

from headtohead.report.figures.curves import (
    plot_calibration,
    plot_decision_curve,
    plot_learning_curves,
    plot_precision_recall,
    plot_risk_coverage,
    plot_roc,
)
from headtohead.report.figures.diagrams import RANK_NOTE, plot_confusion, plot_rank_diagram, plot_waterfall
from headtohead.report.figures.intervals import plot_differences, plot_scores, plot_shortcuts
from headtohead.report.figures.overview import plot_feature_map, plot_strip
from headtohead.report.figures.sample_size import plot_cost, plot_group_curve, plot_size_curve
from headtohead.report.figures.style import to_svg

__all__ = [
    "RANK_NOTE",
    "plot_calibration",
    "plot_confusion",
    "plot_cost",
    "plot_decision_curve",
    "plot_differences",
    "plot_feature_map",
    "plot_group_curve",
    "plot_learning_curves",
    "plot_precision_recall",
    "plot_rank_diagram",
    "plot_risk_coverage",
    "plot_roc",
    "plot_scores",
    "plot_shortcuts",
    "plot_size_curve",
    "plot_strip",
    "plot_waterfall",
    "to_svg",
]
