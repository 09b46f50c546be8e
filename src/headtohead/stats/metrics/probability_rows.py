"""The rows of the registry of metrics that need probabilities: proper scores and calibration."""

from __future__ import annotations

import math
from dataclasses import replace

from headtohead.stats.metrics import probabilistic
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.metrics.probabilistic import FromProbabilities

__all__ = ["PROBABILITY_METRICS"]

_ECE = Metric(
    name="ece",
    title="calibration error of the top label (ECE, equal-mass bins)",
    kernel=FromProbabilities(probabilistic.expected_calibration_error),
    best="low",
    low=0,
    high=1,
    interval="bias_corrected",
    recalibrated=True,
    source="Nguyen & O'Connor 2015",
)
_SLOPE = Metric(
    name="calibration_slope",
    title="calibration slope",
    kernel=FromProbabilities(probabilistic.calibration_slope),
    best="one",
    low=-math.inf,
    high=math.inf,
    binary_only=True,
    interval="transformed",
    undefined="the probabilities are constant or separate the classes: no finite slope fits",
    recalibrated=True,
    source="Cox 1958",
)
PROBABILITY_METRICS = (
    Metric(
        name="brier",
        title="Brier score",
        kernel=FromProbabilities(probabilistic.brier),
        best="low",
        low=0,
        high=2,  # beyond two classes the squares are summed: a certain error costs 1 for each of two classes
        high_of_two=1,
        interval="transformed",
        boundary="largest_loss",
        headline=2,
        recalibrated=True,
        source="Brier 1950",
    ),
    Metric(
        name="log_loss",
        title="log loss",
        kernel=FromProbabilities(probabilistic.log_loss),
        best="low",
        low=0,
        high=math.inf,
        interval="transformed",
        headline=2,
        recalibrated=True,
    ),
    _ECE,
    replace(
        _ECE,
        name="ace",
        title="calibration error of the class probabilities (ACE, equal-mass bins)",
        kernel=FromProbabilities(probabilistic.adaptive_calibration_error),
        recalibrated=False,
        source="Nixon 2019",
    ),
    _SLOPE,
    replace(
        _SLOPE,
        name="calibration_intercept",
        title="calibration-in-the-large",
        kernel=FromProbabilities(probabilistic.calibration_intercept),
        best="zero",
        undefined="no finite intercept fits",
        source="Van Calster et al. 2016",
    ),
)
