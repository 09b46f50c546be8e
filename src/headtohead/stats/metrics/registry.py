"""All metrics by name. To add one, add its row here (of probabilities: in `probability_rows`).

No other file of `stats` branches on its name; `evaluate` does for what is said of some metrics (`wording/caveats.py`,
`reversed_scores.py`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headtohead.stats.metrics import confusion_matrix, ranking
from headtohead.stats.metrics.confusion_matrix import FromClassCounts, FromConfusion
from headtohead.stats.metrics.metric import Denominator, FoldMean, Metric, WithinFolds
from headtohead.stats.metrics.probability_rows import PROBABILITY_METRICS
from headtohead.stats.metrics.ranking import FromCurve, FromRanks

__all__ = ["METRICS"]

_EVERYTHING = Denominator(lambda label, _, __: np.ones(len(label), dtype=bool))
_POSITIVES = Denominator(lambda label, _, positive: label == positive)
_NEGATIVES = Denominator(lambda label, _, positive: label != positive)
_PREDICTED_POSITIVE = Denominator(lambda _, predicted, positive: predicted == positive)
_PREDICTED_NEGATIVE = Denominator(lambda _, predicted, positive: predicted != positive)
# Where nothing is predicted positive, F1 is as undefined as PPV, and as uncertain where hardly anything is.
_POSITIVE_ANSWERS = replace(_PREDICTED_POSITIVE, words="with a positive answer")

_AUROC = Metric(
    name="auroc",
    title="AUROC",
    kernel=WithinFolds(FromRanks(ranking.weighted_auroc)),
    best="high",
    low=0,
    high=1,
    per_class=True,
    interval="wilson_form",
    degrees="groups_by_class",
    boundary="concordance",
    delong_test=True,
    delong_interval=True,
    headline=1,
    of_each_class=2,
    pooled="auroc_pooled",
    undefined="no fold holds both classes",
    source="Hanley & McNeil 1982",
)
_RANKING = (
    _AUROC,
    replace(
        _AUROC,
        name="auroc_pooled",
        title="AUROC pooled over folds",
        kernel=FromRanks(ranking.weighted_auroc),
        per_class=False,
        pooled="",
        needs_folds=True,
        headline=0,
        of_each_class=0,
    ),
    # The closed forms are of the pooled AUROC, whose difference the fold mean's is close to.
    replace(
        _AUROC,
        name="auroc_fold_mean",
        title="AUROC, mean of folds",
        kernel=FoldMean(_AUROC),
        per_class=False,
        pooled="",
        needs_folds=True,
        delong_interval=False,
        headline=0,
        of_each_class=0,
        source="Forman 2010",
    ),
    Metric(
        name="average_precision",
        title="average precision",
        kernel=FromCurve(ranking.average_precision, only_gains=True),
        best="high",
        low=0,
        high=1,
        per_class=True,
        interval="transformed",
        degrees="groups_by_class",
        boundary="precision_curve",
        headline=2,
        source="Davis 2006",
    ),
)
_ACCURACY = Metric(
    name="accuracy",
    title="accuracy",
    kernel=FromConfusion(confusion_matrix.accuracy),
    best="high",
    low=0,
    high=1,
    interval="clustered_wilson",
    boundary="trials",
    denominator=_EVERYTHING,
    headline=1,
    operating_point=2,
)
_SENSITIVITY = Metric(
    name="sensitivity",
    title="sensitivity",
    kernel=FromClassCounts(confusion_matrix.sensitivity),
    best="high",
    low=0,
    high=1,
    per_class=True,
    interval="clustered_wilson",
    mean_interval="class_recalls",
    boundary="class_recalls",
    denominator=_POSITIVES,
    headline=1,
    operating_point=1,
    of_each_class=1,
)
_KAPPA = Metric(
    name="kappa",
    title="Cohen's kappa",
    kernel=FromConfusion(confusion_matrix.cohen_kappa),
    best="high",
    low=-1,
    high=1,
    interval="wilson_form",
    degrees="groups_by_class_even",
    boundary="class_recalls",
    source="Cohen 1960",
)
_WEIGHTED_KAPPA = replace(
    _KAPPA,
    name="kappa_linear",
    title="weighted kappa (linear)",
    kernel=FromConfusion(confusion_matrix.linear_kappa),
    needs_order=True,
    undefined="labels and predictions are of a single class in at least one repeat",
    source="Cohen 1968",
)
_COUNTS = (
    _ACCURACY,
    Metric(
        name="balanced_accuracy",
        title="balanced accuracy",
        kernel=FromConfusion(confusion_matrix.balanced_accuracy),
        best="high",
        low=0,
        high=1,
        interval="class_recalls",
        boundary="class_recalls",
        headline=1,
        operating_point=2,
        source="Brodersen 2010",
    ),
    _SENSITIVITY,
    replace(
        _SENSITIVITY,
        name="specificity",
        title="specificity",
        kernel=FromClassCounts(confusion_matrix.specificity),
        mean_interval="wilson_form",  # a mean of specificities is no mean of recalls
        denominator=_NEGATIVES,
    ),
    replace(
        _SENSITIVITY,
        name="ppv",
        title="positive predictive value",
        kernel=FromClassCounts(confusion_matrix.ppv),
        mean_interval="wilson_form",
        denominator=_PREDICTED_POSITIVE,
        undefined="nothing is predicted positive in at least one repeat",
        headline=2,
        of_each_class=0,
    ),
    replace(
        _SENSITIVITY,
        name="npv",
        title="negative predictive value",
        kernel=FromClassCounts(confusion_matrix.npv),
        mean_interval="wilson_form",
        denominator=_PREDICTED_NEGATIVE,
        undefined="nothing is predicted negative in at least one repeat",
        headline=2,
        of_each_class=0,
    ),
    replace(
        _KAPPA,
        name="f1",
        title="F1",
        kernel=FromClassCounts(confusion_matrix.f1),
        low=0,
        per_class=True,
        denominator=_POSITIVE_ANSWERS,
        headline=2,
        operating_point=2,
        source="van Rijsbergen 1979",
    ),
    replace(
        _KAPPA,
        name="mcc",
        title="Matthews correlation",
        kernel=FromConfusion(confusion_matrix.matthews_correlation),
        undefined="only one class is ever predicted in at least one repeat",
        source="Matthews 1975; Gorodkin 2004",
    ),
    _KAPPA,
    _WEIGHTED_KAPPA,
    replace(
        _WEIGHTED_KAPPA,
        name="kappa_quadratic",
        title="weighted kappa (quadratic)",
        kernel=FromConfusion(confusion_matrix.quadratic_kappa),
    ),
)
_PARTIAL = Metric(
    name="partial_auroc",
    title="partial AUROC (specificity 0.9 to 1)",
    kernel=FromCurve(ranking.partial_auroc, fallout_up_to=ranking.PARTIAL_LIMIT),
    best="high",
    low=0,
    high=1,
    binary_only=True,
    interval="transformed_bootstrap",  # read off a part of the curve: the jackknife is not consistent
    degrees="groups_by_class",
    boundary="concordance_in_partial_range",
    source="McClish 1989",
)
_PARTS_OF_THE_CURVE = (
    _PARTIAL,
    replace(
        _PARTIAL,
        name="sensitivity_at_specificity_90",
        title="sensitivity at specificity 0.9 (threshold read off these data)",
        kernel=FromCurve(ranking.sensitivity_at_specificity_90, only_gains=True),
        boundary="positive_trials",
        source="",
    ),
    replace(
        _PARTIAL,
        name="specificity_at_sensitivity_90",
        title="specificity at sensitivity 0.9 (threshold read off these data)",
        kernel=FromCurve(ranking.specificity_at_sensitivity_90, only_gains=True),
        boundary="negative_trials",
        source="",
    ),
)
METRICS: dict[str, Metric] = {
    metric.name: metric for metric in (*_RANKING, *_COUNTS, *PROBABILITY_METRICS, *_PARTS_OF_THE_CURVE)
}
